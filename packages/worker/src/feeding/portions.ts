/** Cuts a source into portions for the inbox. */
import type { Json, PipelineSpec } from '@autoflow/pipeline';
import type { Bounds, NewRecord } from '@autoflow/store';
import type { SourceRecord } from '../sources/index.js';
import { takeRecord } from '../records.js';
import { writable, type Writable } from './writable.js';

export type Intake = NewRecord & { readonly problem?: string };
/** A record of a source as the inbox can hold it. */
export type ReadRecord = Writable & Pick<SourceRecord, 'where'>;

/**
 * The next portion of the source, empty when it is exhausted; it stays there until it is dropped. A record that alone is larger than the
 * bound is a portion by itself.
 */
export async function cutPortion(source: PeekableRecords, bounds: Bounds): Promise<readonly ReadRecord[]> {
  const batch: ReadRecord[] = [];
  let bytes = 0;
  while (batch.length < bounds.records) {
    const record = await source.peek(batch.length);
    if (record === undefined) break;
    bytes += record.bytes;
    if (batch.length > 0 && bytes > bounds.bytes) break;
    batch.push(record);
  }
  return batch;
}

/**
 * The records as they go into the inbox. What is no record of this release takes part as a dead one; `backfill` makes the name of one without
 * a key its own: another backfill of the same scope has a line 3 too.
 */
export function intakeOf(portion: readonly ReadRecord[], spec: PipelineSpec, backfill: string): Intake[] {
  return portion.map(({ where, problem: found, ...kept }) => {
    const taken = found === undefined ? takeRecord(spec, kept.record) : { problem: found };
    if (!('problem' in taken)) return { ...kept, key: taken.key };
    return { ...kept, key: keyOf(kept.record[spec.key]) ?? `${backfill} ${where}`, problem: `${where}: ${taken.problem}` };
  });
}

/** The key of a record that is refused for something else. */
export function keyOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && /^[^\0\p{Surrogate}]{1,512}$/u.test(value) ? value : undefined;
}

/** Looks at the next records without taking them. */
export class PeekableRecords {
  private seen: ReadRecord[] = [];
  constructor(private readonly records: AsyncIterator<SourceRecord>) {}

  /** The record `ahead` of the next one; undefined beyond the end. */
  async peek(ahead: number): Promise<ReadRecord | undefined> {
    while (this.seen.length <= ahead) {
      const { done, value } = await this.records.next();
      if (done) return undefined;
      const { fields, where, problem } = value;
      this.seen.push({ ...writable(fields), where, ...(problem !== undefined && { problem }) });
    }
    return this.seen[ahead];
  }
  drop(count: number): void {
    this.seen = this.seen.slice(count);
  }
  async close(): Promise<void> {
    await this.records.return?.();
  }
}
