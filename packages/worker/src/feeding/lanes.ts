/** A lane is a queue of one version: the records of a stream that belong to one arm. A batch comes from one lane. */
import { bucketsOf, BUCKETS, type Arm, type Arms, type Stream } from '@autoflow/store';

export interface Lane {
  readonly stream: Stream;
  readonly arm: Arm;
  readonly version: string;
  readonly buckets: readonly [number, number];
}

const ARMS = ['stable', 'candidate', 'control', 'holdout'] as const;

export function lanesOf(stream: Stream, arms: Arms): Lane[] {
  if (stream.version !== undefined) return [{ stream, arm: 'pinned', version: stream.version, buckets: [0, BUCKETS - 1] }];
  return ARMS.flatMap((arm) => {
    const buckets = bucketsOf(arms, arm);
    const version = arms[arm]?.version;
    return buckets === undefined || version === undefined ? [] : [{ stream, arm, version, buckets }];
  });
}

export function nameOf({ stream, arm, version }: Lane): string {
  return `${stream.pipeline}\u001f${stream.stream}\u001f${arm}\u001f${version}`;
}
