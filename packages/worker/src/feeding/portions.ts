/** Cuts a source into portions for the inbox. */
import type { Json, PipelineSpec } from '@autoflow/pipeline';
import { recordDigest, type Bounds, type NewRecord } from '@autoflow/store';
import type { SourceRecord } from '../sources/index.js';
import { takeRecord } from '../records.js';

export type Intake = NewRecord & { readonly problem?: string };

/**
 * The next portion of the source, empty when it is exhausted; it stays there until it is dropped. A record that alone is larger than the
 * bound is a portion by itself.
 */
export async function cutPortion(source: PeekableRecords, bounds: Bounds): Promise<readonly SourceRecord[]> {
  const batch: SourceRecord[] = [];
  let bytes = 0;
  while (batch.length < bounds.records) {
    const record = await source.peek(batch.length);
    if (record === undefined) break;
    bytes += JSON.stringify(record.fields).length;
    if (batch.length > 0 && bytes > bounds.bytes) break;
    batch.push(record);
  }
  return batch;
}

/**
 * The records as they go into the inbox. What is no record of this release takes part as a dead one; `backfill` makes the name of one without
 * a key its own: another backfill of the same scope has a line 3 too.
 */
export function intakeOf(portion: readonly SourceRecord[], spec: PipelineSpec, backfill: string): Intake[] {
  return portion.map(({ fields, where, problem: found }) => {
    const taken = found === undefined ? takeRecord(spec, fields) : { problem: found };
    const text = JSON.stringify(fields);
    const common = { record: fields, digest: recordDigest(fields), bytes: Buffer.byteLength(text) };
    if (!('problem' in taken)) return { ...common, key: taken.key };
    return { ...common, key: keyOf(fields[spec.key]) ?? `${backfill} ${where}`, problem: `${where}: ${taken.problem}` };
  });
}

/** The key of a record that is refused for something else. */
function keyOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && /^[^\0\p{Surrogate}]{1,512}$/u.test(value) ? value : undefined;
}

/** Levels of lists and objects, as in the answers of functions: `JSON.stringify` fails at some thousands, this is far within. */
const DEEPEST = 500;

/** A record that nests too deep could be parsed, but not be written again: of it only the plain values are kept. */
function writable(record: SourceRecord): SourceRecord {
  if (!isDeeper(record.fields, DEEPEST)) return record;
  const fields = Object.fromEntries(Object.entries(record.fields).filter(([, value]) => typeof value !== 'object' || value === null));
  return { fields, where: record.where, problem: record.problem ?? `it nests deeper than ${DEEPEST} levels` };
}

function isDeeper(value: Json | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner: Json | undefined) => isDeeper(inner, levels - 1));
}

/** Looks at the next records without taking them. */
export class PeekableRecords {
  private seen: SourceRecord[] = [];
  constructor(private readonly records: AsyncIterator<SourceRecord>) {}

  /** The record `ahead` of the next one; undefined beyond the end. */
  async peek(ahead: number): Promise<SourceRecord | undefined> {
    while (this.seen.length <= ahead) {
      const { done, value } = await this.records.next();
      if (done) return undefined;
      this.seen.push(writable(value));
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
