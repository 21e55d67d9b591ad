/** What is needed to replay recorded records through a version: inputs, answers, and what the functions had answered. */
import type { FunctionHashes, RecordedCall, RecordedCalls, RecordedOutcome, RecordName, Store } from '@autoflow/store';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { ReplayAnswers } from '@autoflow/function-host';

export const idOf = ({ scope, key }: RecordName): string => JSON.stringify([scope, key]);

export interface RecordedRun {
  /** For the functions of the release that is replayed. */
  readonly answers: ReplayAnswers;
  /** By record id and node, what was recorded of the release that is compared with. */
  readonly calls: ReadonlyMap<string, { readonly [node: string]: readonly RecordedCall[] }>;
}

/**
 * A `read` is answered by what its own code answered (by hash, in whatever release). A write is not looked into: the recorded one of the same
 * name stands for it, be its code the same or not, and its arguments are what is compared.
 */
export async function recordedRun(
  store: Pick<Store, 'recordings'>,
  records: readonly RecordedOutcome[],
  { spec, functions }: { readonly spec: PipelineSpec; readonly functions: FunctionHashes },
  known: FunctionHashes,
): Promise<RecordedRun> {
  const hashes = [...new Set([...Object.values(functions), ...Object.values(known)])];
  const rows = await store.recordings.calls({ pipeline: spec.name, records, functions: hashes });
  const calls = new Map<string, { [node: string]: readonly RecordedCall[] }>();
  const byHash = new Map<string, Map<string, RecordedCall[]>>();
  for (const row of rows) {
    const list = JSON.parse(row.calls) as RecordedCall[];
    if (known[row.node] === row.function) put(calls, idOf(row), row.node, list);
    const ofHash = byHash.get(row.function) ?? new Map<string, RecordedCall[]>();
    ofHash.set(idOf(row), [...(ofHash.get(idOf(row)) ?? []), ...list]);
    byHash.set(row.function, ofHash);
  }
  const answers: { [node: string]: { [id: string]: readonly RecordedCall[] } } = {};
  for (const { id, effect } of spec.nodes) {
    if (effect === 'pure') continue;
    const own = effect === 'read' ? byHash.get(functions[id] ?? '') : writesOf(rows, id, known);
    if (own !== undefined) answers[id] = Object.fromEntries(own);
  }
  return { answers, calls };
}

function writesOf(rows: readonly RecordedCalls[], node: string, known: FunctionHashes): ReadonlyMap<string, readonly RecordedCall[]> {
  const own = rows.filter((row) => row.node === node && row.function === known[node]);
  return new Map(own.map((row) => [idOf(row), JSON.parse(row.calls) as RecordedCall[]]));
}

function put(
  calls: Map<string, { [node: string]: readonly RecordedCall[] }>,
  id: string,
  node: string,
  list: readonly RecordedCall[],
): void {
  const own = calls.get(id) ?? {};
  own[node] = list;
  calls.set(id, own);
}
