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
    bytes += JSON.stringify(record.fields).length;
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

/** `backfill` makes the name of a record without a key its own: another backfill of the same scope has a line 3 too. */
function admit(index: number, record: SourceRecord, spec: PipelineSpec, arrivedAt: string, backfill: string): RecordState {
  const { fields, where, problem } = record;
  const taken = problem === undefined ? takeRecord(spec, fields) : { problem };
  if (!('problem' in taken)) return stateOf(index, taken, arrivedAt);
  return refusedState(index, keyOf(fields[spec.key]) ?? `${backfill} ${where}`, fields, arrivedAt, `${where}: ${taken.problem}`);
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
