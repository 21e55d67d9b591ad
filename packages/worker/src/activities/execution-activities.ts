/** The platform activities of executions, over the stores. */
import type { Fields, Outcome, PipelineSpec, RecordState } from '@autoflow/pipeline';
import { mergeStates, outcomeOf } from '@autoflow/pipeline/runtime';
import { BatchCorruptError, BatchMissingError } from '@autoflow/store/batches';
import { StaleVersionError, type BatchRow, type BatchStore, type RecordingWriter, type Store } from '@autoflow/store';
import type { BatchRef, ExecutionActivities, SettleRequest } from '@autoflow/topology';
import { MAXIMUM_INLINE_BYTES } from '@autoflow/workflows';
import { atActivityBoundary, refuse } from '../errors.js';
import { undeclaredOf, wholeOf, type InputState } from '../feeding/input.js';
import { writable } from '../feeding/writable.js';
import { stateOf, takeRecord } from '../records.js';
import { executionArgument, startingMemory, type ResolvedVersion, type Versions } from '../versions.js';

export interface ExecutionPorts {
  readonly store: Pick<Store, 'definitions' | 'ledger'>;
  readonly batches: BatchStore;
  readonly versions: Versions;
  /** Of records that start an execution by the direct door. */
  readonly recordings?: Pick<RecordingWriter, 'input'>;
  /** Whether the server knows our search attributes. */
  readonly indexed: boolean;
}

const LIVE = 'live';

export function executionActivities({ store, batches, versions, recordings, indexed }: ExecutionPorts): ExecutionActivities {
  return {
    admit: atActivityBoundary(async ({ pipeline, executionId, runId, records }) => {
      const { row, resolved } = await openStable({ pipeline, executionId, runId, records }, { store, batches, versions });
      if (recordings !== undefined) recordInputs(pipeline, records, resolved.release.spec, recordings);
      return { ...executionArgument(resolved, LIVE, runId, row.ref), indexed };
    }),

    settle: atActivityBoundary(async (request) => {
      const { execution, collect } = request;
      const spec = (await versions.resolve(execution.pipeline, execution.version)).release.spec;
      const { outcomes, inputs } = await outcomesOf(request, spec, batches);
      const counts = await store.ledger.close({ batchId: execution.batchId, outcomes, inputs });
      if (!collect) return { counts };
      const bytes = Buffer.byteLength(JSON.stringify(outcomes));
      if (bytes > MAXIMUM_INLINE_BYTES)
        throw refuse(
          'PAYLOAD_TOO_LARGE',
          `the records are settled, but their ${bytes} bytes of results are more than the ${MAXIMUM_INLINE_BYTES} that a direct start answers; read them by key, or feed the records through a backfill (autoflow backfill ${execution.pipeline} --source FILE)`,
        );
      return { counts, outcomes };
    }),

    requireMemory: atActivityBoundary(({ batchId, stage, memoryMb }) => store.ledger.requireMemory(batchId, stage, memoryMb)),
  };
}

type AdmitRequest = Parameters<ExecutionActivities['admit']>[0];
type AdmitPorts = Pick<ExecutionPorts, 'store' | 'batches' | 'versions'>;

/** Commits the batch with the version that is stable at that moment: resolved again as often as the pointer moves meanwhile. */
async function openStable(request: AdmitRequest, ports: AdmitPorts): Promise<{ row: BatchRow; resolved: ResolvedVersion }> {
  const { pipeline } = request;
  for (;;) {
    const resolved = await ports.versions.resolve(pipeline);
    try {
      const row = await openBatch(request, resolved, ports);
      // An attempt before this one may have committed the row, with what was stable then.
      return { row, resolved: row.version === resolved.version.name ? resolved : await ports.versions.resolve(pipeline, row.version) };
    } catch (error) {
      if (!(error instanceof StaleVersionError)) throw error;
    }
  }
}

async function openBatch(
  { pipeline, executionId, runId, records }: AdmitRequest,
  { version, release, plans }: ResolvedVersion,
  { store, batches }: AdmitPorts,
): Promise<BatchRow> {
  const arrivedAt = new Date().toISOString();
  const taken = records.map((record) => takeWhole(release.spec, record));
  refuseInvalid(pipeline, taken);
  const valid = taken.flatMap((one) => ('problem' in one ? [] : [one]));
  const states = valid.map((one, index): InputState => ({ ...stateOf(index, one, arrivedAt), ...undeclaredOf(one.record, release.spec) }));
  refuseTwins(states);
  const ref = await batches.write({ pipeline, batchId: runId, label: 'input' }, states);
  const batch = { id: runId, pipeline, version: version.name, release: release.hash, scope: LIVE, executionId, ref };
  const { row } = await store.ledger.open({
    batch: { ...batch, memoryMb: startingMemory(plans) },
    records: states.map((state, index) => ({ ...state, digest: valid[index]!.digest })),
    replace: true,
    followsStable: true,
  });
  return row;
}

interface Whole {
  readonly key: string;
  readonly fields: Fields;
  readonly record: Fields;
  readonly digest: string;
}

/** What the release does not declare goes along, so it has to be JSON too. */
function takeWhole(spec: PipelineSpec, record: Fields): Whole | { readonly problem: string } {
  const taken = takeRecord(spec, record);
  if ('problem' in taken) return taken;
  const { digest, problem } = writable(record);
  return problem === undefined ? { ...taken, record, digest } : { problem };
}

function recordInputs(pipeline: string, records: readonly Fields[], spec: PipelineSpec, recordings: Pick<RecordingWriter, 'input'>): void {
  const arrivedAt = new Date();
  for (const record of records) {
    const taken = takeRecord(spec, record);
    if (!('problem' in taken)) recordings.input({ pipeline, scope: LIVE, key: taken.key, arrivedAt, record });
  }
}

/** Every record that the files tell of, with its one outcome, in the order of the batch. What is told of none is for the ledger to bury. */
async function outcomesOf(
  request: SettleRequest,
  spec: PipelineSpec,
  batches: BatchStore,
): Promise<{ outcomes: Outcome[]; inputs: Map<string, Fields> }> {
  const { execution, outputs, partial = [], cancelled, failure = LOST } = request;
  const read = (refs: readonly BatchRef[]) => Promise.all(refs.map((ref) => readIfThere(batches, ref)));
  const final = await read(outputs);
  // With several last stages a record is completed only when the files of each of them have it.
  const written = outputs.reduce((sum, { counts }) => sum + counts.records, 0);
  const lastStages = Math.max(1, Math.ceil(written / Math.max(1, execution.batch.counts.records)));
  const found = new Map<number, number>();
  for (const { index } of final.flat()) found.set(index, (found.get(index) ?? 0) + 1);
  const through = new Set([...found].filter(([, times]) => times >= lastStages).map(([index]) => index));
  const complete = through.size === execution.batch.counts.records;
  const before = complete ? [] : await read([execution.batch, ...partial]);
  const outcomes = mergeStates([...before, ...final], spec).map((state): Outcome => {
    if (state.filtered || state.death || through.has(state.index)) return outcomeOf(spec, state);
    return cancelled ? { state: 'cancelled', key: state.key } : { state: 'dead', key: state.key, ...failure };
  });
  const dead = outcomes.some(({ state }) => state === 'dead');
  const inputs = dead ? ((complete ? undefined : before[0]) ?? (await readIfThere(batches, execution.batch))) : [];
  return { outcomes, inputs: new Map(inputs.map((state: InputState) => [state.key, wholeOf(state)])) };
}

const LOST = { in: 'settle', code: 'BATCH_MISSING', message: 'the file with the result of the record is gone' };

/** A file that is gone must not keep the other records from their outcome; any other trouble passes. */
async function readIfThere(batches: BatchStore, ref: BatchRef): Promise<readonly RecordState[]> {
  try {
    return await batches.read(ref);
  } catch (error) {
    if (error instanceof BatchMissingError || error instanceof BatchCorruptError) return [];
    throw error;
  }
}

function refuseInvalid(pipeline: string, taken: readonly (Whole | { readonly problem: string })[]): void {
  const problems = taken.flatMap((record, index) => ('problem' in record ? [`record ${index}: ${record.problem}`] : []));
  if (taken.length === 0) problems.push('there is no record');
  if (problems.length === 0) return;
  const more = problems.length > 10 ? `; and ${problems.length - 10} more` : '';
  throw refuse(
    'INVALID_RECORD',
    `pipeline '${pipeline}' does not take what it was started with: ${problems.slice(0, 10).join('; ')}${more}`,
  );
}

/** Two records with one key are one record: which of them would count? */
function refuseTwins(states: readonly RecordState[]): void {
  const first = new Map<string, number>();
  for (const { key, index } of states) {
    const twin = first.get(key);
    if (twin !== undefined) throw refuse('INVALID_RECORD', `records ${twin} and ${index} have the same key '${key}'`);
    first.set(key, index);
  }
}
