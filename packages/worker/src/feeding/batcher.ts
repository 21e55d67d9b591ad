/** Cuts a source into batches. */
import type { Json, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { SourceRecord } from '../sources/index.js';
import { refusedState, stateOf, takeRecord } from '../records.js';

export interface Bounds {
  readonly records: number;
  readonly bytes: number;
}
export interface CutBatch {
  /** Each key once. */
  readonly records: readonly RecordState[];
  /** Further records with a key of this batch: read, not run. */
  readonly twins: readonly RecordState[];
}

/**
 * The next batch of the source; undefined when it is exhausted. A record that alone is larger than the bound is a batch by itself.
 * An invalid record takes part as a dead one.
 */
export async function nextBatch(source: PeekableRecords, spec: PipelineSpec, bounds: Bounds): Promise<CutBatch | undefined> {
  const records: RecordState[] = [];
  const twins: RecordState[] = [];
  const keys = new Set<string>();
  const arrivedAt = new Date().toISOString();
  let bytes = 0;
  for (let record = await source.peek(); record !== undefined; record = await source.peek()) {
    const size = JSON.stringify(record.fields).length;
    if (records.length > 0 && (records.length + twins.length >= bounds.records || bytes + size > bounds.bytes)) break;
    const state = admit(records.length, record, spec, arrivedAt);
    (keys.has(state.key) ? twins : records).push(state);
    keys.add(state.key);
    bytes += size;
    source.drop();
  }
  return records.length === 0 ? undefined : { records, twins };
}

function admit(index: number, { fields, where, problem }: SourceRecord, spec: PipelineSpec, arrivedAt: string): RecordState {
  const taken = problem === undefined ? takeRecord(spec, fields) : { problem };
  if (!('problem' in taken)) return stateOf(index, taken, arrivedAt);
  return refusedState(index, keyOf(fields[spec.key]) ?? where, fields, arrivedAt, `${where}: ${taken.problem}`);
}

/** The key of a record that is refused for something else. */
function keyOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && /^[^\0\p{Surrogate}]{1,512}$/u.test(value) ? value : undefined;
}

/** Looks at the next record without taking it. */
export class PeekableRecords {
  private next: Promise<SourceRecord | undefined> | undefined;
  constructor(private readonly records: AsyncIterator<SourceRecord>) {}

  peek(): Promise<SourceRecord | undefined> {
    return (this.next ??= this.records.next().then((result) => (result.done ? undefined : result.value)));
  }
  drop(): void {
    this.next = undefined;
  }
  async close(): Promise<void> {
    await this.records.return?.();
  }
}
