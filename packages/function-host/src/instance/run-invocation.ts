import type { RecordState } from '@autoflow/pipeline';
import { condemn, dropDead, mergeStates, runNodes, type RunOptions, type RunResult } from '@autoflow/pipeline/runtime';
import type { BatchRef, StageInvocation } from '@autoflow/topology/execution';
import { runFailure, storeFailure } from './failure-of.js';
import { redactJson } from '../process/redact.js';
import type { OpenStage } from './open-stage.js';
import { STORE_WITHIN_MS, type InvocationFailure, type InvocationUsage, type Word } from './protocol.js';
import { startMeter } from './usage-meter.js';
import { writeResult } from './write-result.js';

/** Resolves when the word is on its way, whatever becomes of this process. */
type Tell = (word: Word) => Promise<void>;

/** One invocation: read the batch, run the stage's functions over it, write what came of it. Never rejects. */
export async function runInvocation(
  stage: OpenStage,
  invocation: StageInvocation,
  strict: boolean,
  signal: AbortSignal,
  tell: Tell,
  permit: RunOptions['permit'],
): Promise<Word> {
  const used = startMeter();
  const storing = (at: string): void => void tell({ type: 'progress', at, withinMs: STORE_WITHIN_MS });
  let counts = NOTHING;
  let failureOf: (error: unknown) => InvocationFailure = storeFailure;
  try {
    storing('reading the batch');
    const lists = await Promise.all(invocation.inputs.map((input) => stage.batches.read(input)));
    failureOf = runFailure;
    const records = recordsOf(stage, invocation, lists);
    stage.discretion.about(records);
    counts = { ...counts, recordsIn: records.length, bytesIn: bytesOf(invocation.inputs) };
    const ran = withoutSecrets(await run(stage, invocation, records, strict, signal, tell, permit), stage.redact);
    failureOf = storeFailure;
    storing('writing the batch');
    const { drops } = invocation;
    const left = drops ? { ...ran, done: dropDead(ran.done, drops) } : ran;
    const { answer, result } = await writeResult(stage.batches, invocation, records, left);
    counts = { ...counts, ...countsOf(records, result), bytesOut: answer.output.bytes + (answer.retry?.bytes ?? 0) };
    return { type: 'answer', answer, usage: { ...used(), ...counts } };
  } catch (error) {
    const failure = failureOf(error);
    return { type: 'failure', failure: { ...failure, message: stage.redact(failure.message) }, usage: { ...used(), ...counts } };
  }
}

/** Positions of a slice count in the merged input, so that every part and every bisection cuts the same way. */
function recordsOf(
  { pipeline }: OpenStage,
  { slice }: StageInvocation,
  lists: readonly (readonly RecordState[])[],
): readonly RecordState[] {
  const merged = mergeStates(lists, pipeline.wiring);
  return slice === undefined ? merged : merged.slice(slice.from, slice.to);
}

async function run(
  stage: OpenStage,
  invocation: StageInvocation,
  records: readonly RecordState[],
  strict: boolean,
  signal: AbortSignal,
  tell: Tell,
  permit: RunOptions['permit'],
): Promise<RunResult> {
  const { pipeline, scope, nodes, final } = invocation;
  if (invocation.condemn !== undefined)
    return { done: condemn(records, { in: invocation.stage, ...invocation.condemn }, nodes), retry: [], spans: [] };
  await tell({ type: 'begun' });
  return runNodes(stage.pipeline, nodes, records, {
    resource: stage.resources.get,
    idempotencyScope: `${pipeline}/${scope}`,
    final,
    strict,
    signal,
    guard: stage.guard,
    memo: stage.memo,
    ...(permit && { permit }),
    ...(stage.recorder && { observer: stage.recorder }),
    ...(stage.standIn && { standIn: stage.standIn() }),
    log: ({ node, key, message, details }) =>
      void tell({
        type: 'log',
        node,
        message: stage.redact(message),
        ...(key !== undefined && { key }),
        ...(details && { details: redactJson(details, stage.redact) as object }),
      }),
    progress: (node, timeoutMs) => void tell({ type: 'progress', at: node, withinMs: timeoutMs }),
    clock: { now: () => performance.now(), cpu: cpuMs },
  });
}

/** Errors are stored and shown, and some quote the connection string that they failed with. */
function withoutSecrets({ done, retry, spans }: RunResult, redact: (text: string) => string): RunResult {
  const clean = (record: RecordState): RecordState => ({
    ...record,
    ...(record.death && { death: { ...record.death, message: redact(record.death.message) } }),
    ...(record.retry && { retry: { ...record.retry, message: redact(record.retry.message) } }),
  });
  return { done: done.map((record) => (record.death ? clean(record) : record)), retry: retry.map(clean), spans };
}

type Counts = Omit<InvocationUsage, 'cpuMs' | 'runQueueMs' | 'peakMemoryMb'>;
const NOTHING: Counts = { recordsIn: 0, recordsOut: 0, filtered: 0, dead: 0, retried: 0, bytesIn: 0, bytesOut: 0, spans: [] };

/**
 * Of this invocation: what was filtered or dying before does not count again. Record by record: one that came dying may leave filtered, or to be
 * tried again by a filter, and must not make up for another that died here.
 */
function countsOf(
  records: readonly RecordState[],
  { done, retry, spans }: RunResult,
): Pick<Counts, 'recordsOut' | 'filtered' | 'dead' | 'retried' | 'spans'> {
  const came = new Map(records.map((record) => [record.index, record]));
  const isNew = (is: (record: RecordState) => boolean) => (record: RecordState) => is(record) && !is(came.get(record.index)!);
  return {
    recordsOut: done.length - count(done, isFiltered) - count(done, isDying),
    filtered: count(done, isNew(isFiltered)),
    dead: count(done, isNew(isDying)),
    retried: retry.length,
    spans,
  };
}

const isFiltered = ({ filtered }: RecordState): boolean => filtered !== undefined;
const isDying = ({ filtered, death }: RecordState): boolean => filtered === undefined && death !== undefined;
const count = (records: readonly RecordState[], is: (record: RecordState) => boolean): number =>
  records.reduce((n, record) => n + Number(is(record)), 0);
const bytesOf = (refs: readonly BatchRef[]): number => refs.reduce((sum, { bytes }) => sum + bytes, 0);

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
