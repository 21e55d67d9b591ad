/** Cuts a source into batches. */
import type { Json, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { SourceRecord } from '../sources/index.js';
import { refusedState, stateOf, takeRecord } from '../records.js';

/** Of one batch. */
export interface Bounds {
  readonly records: number;
  readonly bytes: number;
}
export interface AdmittedRecords {
  /** Each key once. */
  readonly records: readonly RecordState[];
  /** Further records with a key of this batch: read, not run. */
  readonly twins: readonly RecordState[];
}

/**
 * The next batch of the source, empty when it is exhausted; it stays there until it is dropped. A record that alone is larger than the
 * bound is a batch by itself.
 */
export async function cutBatch(source: PeekableRecords, bounds: Bounds): Promise<readonly SourceRecord[]> {
  const batch: SourceRecord[] = [];
  let bytes = 0;
  while (batch.length < bounds.records) {
    const record = await source.peek(batch.length);
    if (record === undefined) break;
    bytes += sizeOf(record);
    if (batch.length > 0 && bytes > bounds.bytes) break;
    batch.push(record);
  }
  return batch;
}

/** The records as the release's input takes them. An invalid one takes part as a dead one. */
export function admitAll(batch: readonly SourceRecord[], spec: PipelineSpec, backfill: string): AdmittedRecords {
  const records: RecordState[] = [];
  const twins: RecordState[] = [];
  const keys = new Set<string>();
  const arrivedAt = new Date().toISOString();
  for (const record of batch) {
    const state = admit(records.length, record, spec, arrivedAt, backfill);
    (keys.has(state.key) ? twins : records).push(state);
    keys.add(state.key);
  }
  return { records, twins };
}

/** JSON that nests deeper than it can be written again counts as nothing, and is refused when it is admitted. */
function sizeOf({ fields }: SourceRecord): number {
  try {
    return JSON.stringify(fields).length;
  } catch {
    return 0;
  }
}

/** `backfill` makes the name of a record without a key its own: another backfill of the same scope has a line 3 too. */
function admit(index: number, record: SourceRecord, spec: PipelineSpec, arrivedAt: string, backfill: string): RecordState {
  const { fields, where, problem } = writable(record);
  const taken = problem === undefined ? takeRecord(spec, fields) : { problem };
  if (!('problem' in taken)) return stateOf(index, taken, arrivedAt);
  return refusedState(index, keyOf(fields[spec.key]) ?? `${backfill} ${where}`, fields, arrivedAt, `${where}: ${taken.problem}`);
}

function writable(record: SourceRecord): SourceRecord {
  if (sizeOf(record) > 0) return record;
  return { fields: {}, where: record.where, problem: 'it nests too deep to be written as JSON' };
}

/** The key of a record that is refused for something else. */
function keyOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && /^[^\0\p{Surrogate}]{1,512}$/u.test(value) ? value : undefined;
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
      this.seen.push(value);
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
