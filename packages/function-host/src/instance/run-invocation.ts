import type { RecordState } from '@autoflow/pipeline';
import { condemn, mergeStates, runNodes, type RunResult } from '@autoflow/pipeline/runtime';
import type { BatchRef, StageAnswer, StageInvocation } from '@autoflow/topology/execution';
import { failureOf } from './failure-of.js';
import type { OpenStage } from './open-stage.js';
import { STORE_WITHIN_MS, type InstanceMessage, type InvocationUsage } from './protocol.js';
import { startMeter } from './usage-meter.js';
import { patiently } from './patiently.js';

type Tell = (message: InstanceMessage) => void;

/** One invocation: read the batch, run the stage's functions over it, write what came of it. Never rejects. */
export async function runInvocation(
  stage: OpenStage,
  invocation: StageInvocation,
  strict: boolean,
  signal: AbortSignal,
  tell: Tell,
): Promise<InstanceMessage> {
  const used = startMeter();
  const storing = (at: string): void => tell({ type: 'progress', at, withinMs: STORE_WITHIN_MS });
  let counts = NOTHING;
  try {
    storing('reading the batch');
    const records = await readRecords(stage, invocation);
    counts = { ...counts, recordsIn: records.length, bytesIn: bytesOf(invocation.inputs) };
    const result = await run(stage, invocation, records, strict, signal, tell);
    counts = { ...counts, ...countsOf(records, result) };
    storing('writing the batch');
    const answer = await write(stage, invocation, withoutSecrets(result, stage.redact));
    counts = { ...counts, bytesOut: answer.output.bytes + (answer.retry?.bytes ?? 0) };
    return { type: 'answer', answer, usage: { ...used(), ...counts } };
  } catch (error) {
    return { type: 'failure', failure: failureOf(error), usage: { ...used(), ...counts } };
  }
}

/** Positions of a slice count in the merged input, so that every part and every bisection cuts the same way. */
async function readRecords({ batches, pipeline }: OpenStage, { inputs, slice }: StageInvocation): Promise<readonly RecordState[]> {
  const lists = await Promise.all(inputs.map((input) => batches.read(input)));
  const merged = mergeStates(lists, pipeline.wiring);
  return slice === undefined ? merged : merged.slice(slice.from, slice.to);
}

function run(
  stage: OpenStage,
  invocation: StageInvocation,
  records: readonly RecordState[],
  strict: boolean,
  signal: AbortSignal,
  tell: Tell,
): RunResult | Promise<RunResult> {
  const { pipeline, scope, nodes, final } = invocation;
  if (invocation.condemn !== undefined)
    return { done: condemn(records, { in: invocation.stage, ...invocation.condemn }, nodes), retry: [], spans: [] };
  return runNodes(stage.pipeline, nodes, records, {
    resource: stage.resources.get,
    idempotencyScope: `${pipeline}/${scope}`,
    final,
    strict,
    signal,
    guard: stage.guard,
    memo: stage.memo,
    log: ({ node, key, message, details }) =>
      tell({ type: 'log', node, message, ...(key !== undefined && { key }), ...(details && { details }) }),
    progress: (node, timeoutMs) => tell({ type: 'progress', at: node, withinMs: timeoutMs }),
    clock: { now: () => performance.now(), cpu: cpuMs },
  });
}

/** Handlers have run: the store is given some time to come back before that work is thrown away. */
async function write(
  { batches }: OpenStage,
  { pipeline, batchId, stage }: StageInvocation,
  { done, retry }: RunResult,
): Promise<StageAnswer> {
  const store = (label: string, records: readonly RecordState[]): Promise<BatchRef> =>
    patiently(() => batches.write({ pipeline, batchId, label }, records));
  const output = await store(stage, done);
  return retry.length === 0 ? { output } : { output, retry: await store(`${stage}.retry`, retry) };
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

/** Of this invocation: what was filtered or dying before does not count again. */
function countsOf(
  records: readonly RecordState[],
  { done, retry, spans }: RunResult,
): Pick<Counts, 'recordsOut' | 'filtered' | 'dead' | 'retried' | 'spans'> {
  const filtered = count(done, isFiltered) - count(records, isFiltered);
  const dead = count(done, isDying) - count(records, isDying);
  return {
    recordsOut: done.length - count(done, isFiltered) - count(done, isDying),
    filtered,
    dead: Math.max(0, dead),
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
