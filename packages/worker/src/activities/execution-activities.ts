/** The platform activities of executions, over the stores. */
import type { Fields, Outcome, PipelineSpec, RecordState } from '@autoflow/pipeline';
import { mergeStates, outcomeOf } from '@autoflow/pipeline/runtime';
import { BatchCorruptError, BatchMissingError } from '@autoflow/store/batches';
import type { BatchStore, Store } from '@autoflow/store';
import type { BatchRef, ExecutionActivities, SettleRequest } from '@autoflow/topology';
import { MAXIMUM_INLINE_BYTES } from '@autoflow/workflows';
import { atActivityBoundary, refuse } from '../errors.js';
import { stateOf, takeRecord, type Taken } from '../records.js';
import { executionArgument, startingMemory, type Versions } from '../versions.js';

export interface ExecutionPorts {
  readonly store: Pick<Store, 'definitions' | 'ledger'>;
  readonly batches: BatchStore;
  readonly versions: Versions;
  /** Whether the server knows our search attributes. */
  readonly indexed: boolean;
}

const LIVE = 'live';

export function executionActivities({ store, batches, versions, indexed }: ExecutionPorts): ExecutionActivities {
  return {
    admit: atActivityBoundary(async ({ pipeline, executionId, runId, records }) => {
      const resolved = await versions.resolve(pipeline);
      const { version, release } = resolved;
      const arrivedAt = new Date().toISOString();
      const taken = records.map((record) => takeRecord(release.spec, record));
      refuseInvalid(pipeline, taken);
      const states = taken.flatMap((record, index) => ('problem' in record ? [] : [stateOf(index, record, arrivedAt)]));
      refuseTwins(states);
      const batch = { pipeline, batchId: runId };
      const ref = await batches.write({ ...batch, label: 'input' }, states);
      await store.ledger.open({
        batch: {
          id: runId,
          pipeline,
          version: version.name,
          release: release.hash,
          scope: LIVE,
          executionId,
          ref,
          memoryMb: startingMemory(resolved.plans),
        },
        records: states,
        replace: true,
      });
      return { ...executionArgument(resolved, LIVE, runId, ref), indexed };
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

/** Every record that the files tell of, with its one outcome, in the order of the batch. What is told of none is for the ledger to bury. */
async function outcomesOf(
  request: SettleRequest,
  spec: PipelineSpec,
  batches: BatchStore,
): Promise<{ outcomes: Outcome[]; inputs: Map<string, Fields> }> {
  const { execution, outputs, partial = [], cancelled, failure = LOST } = request;
  const read = (refs: readonly BatchRef[]) => Promise.all(refs.map((ref) => readIfThere(batches, ref)));
  const final = await read(outputs);
  const through = new Set(final.flat().map(({ index }) => index));
  const complete = through.size === execution.batch.counts.records;
  const before = complete ? [] : await read([execution.batch, ...partial]);
  const outcomes = mergeStates([...before, ...final], spec).map((state): Outcome => {
    if (state.filtered || state.death || through.has(state.index)) return outcomeOf(spec, state);
    return cancelled ? { state: 'cancelled', key: state.key } : { state: 'dead', key: state.key, ...failure };
  });
  const dead = outcomes.some(({ state }) => state === 'dead');
  const inputs = dead ? ((complete ? undefined : before[0]) ?? (await readIfThere(batches, execution.batch))) : [];
  return { outcomes, inputs: new Map(inputs.map(({ key, fields }) => [key, fields])) };
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

function refuseInvalid(pipeline: string, taken: readonly Taken[]): void {
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
