/** The interpreter: carries one batch through one version. Its type is the pipeline's name, its graph came as data. */
import { ApplicationFailure, isCancellation, setHandler, defineQuery, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { Fields } from '@autoflow/pipeline';
import type { DirectResult, ExecutionArgument, ExecutionResult } from '@autoflow/topology/execution';
import { MAXIMUM_INLINE_BYTES, PROGRESS_QUERY, type ExecutionProgress } from '../protocol.js';
import { searchAttributes } from '../search-attributes.js';
import { admit, settle } from './activities.js';
import { atBoundary, terminalOf } from './failures.js';
import { Walk } from './walk.js';

const progressQuery = defineQuery<ExecutionProgress>(PROGRESS_QUERY);

/**
 * Gives every record exactly one outcome, also when it is cancelled or cannot go on. Started with records it is the direct door and
 * answers a `DirectResult`; started with an `ExecutionArgument` it answers an `ExecutionResult`.
 */
export async function execution(argument: unknown, ...others: readonly unknown[]): Promise<DirectResult | ExecutionResult> {
  let phase: ExecutionProgress['phase'] = 'admitting';
  let admitted: ExecutionArgument | undefined;
  let walk: Walk | undefined;
  setHandler(progressQuery, () => ({
    phase,
    ...(admitted && { version: admitted.version, records: admitted.batch.counts.records }),
    stages: walk?.progress() ?? [],
  }));
  try {
    refuseOthers(others);
    const direct = !isExecutionArgument(argument);
    const current = direct ? await openDirectDoor(argument) : forThisPipeline(argument);
    admitted = current;
    walk = new Walk(current);
    phase = 'running';
    const ended = await walk.run().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    phase = 'settling';
    const settled = await settle(settleRequest(current, walk, ended, direct));
    phase = 'ended';
    if (ended) throw ended.error;
    const result = { version: current.version, counts: settled.counts };
    return direct ? { ...result, ...byState(settled.outcomes ?? []) } : result;
  } catch (error) {
    throw atBoundary(error);
  }
}

/** What is not carried must not look as if it was. */
function refuseOthers(others: readonly unknown[]): void {
  if (others.length === 0) return;
  throw ApplicationFailure.nonRetryable(
    `an execution takes one argument, a record or an array of records, and was started with ${1 + others.length}; give several records as one array`,
    'BAD_ARGUMENT',
  );
}

/** Records inline: validated, stored and given the stable version of this moment. */
async function openDirectDoor(argument: unknown): Promise<ExecutionArgument> {
  const { workflowType, workflowId, runId } = workflowInfo();
  const records = (Array.isArray(argument) ? argument : [argument]) as Fields[];
  const bytes = argument === undefined ? 0 : new TextEncoder().encode(JSON.stringify(argument)).length;
  if (bytes > MAXIMUM_INLINE_BYTES)
    throw ApplicationFailure.nonRetryable(
      `${bytes} bytes of records are more than the ${MAXIMUM_INLINE_BYTES} that a direct start carries; feed them through a backfill instead (autoflow backfill ${workflowType} --source FILE)`,
      'PAYLOAD_TOO_LARGE',
    );
  const { indexed, ...admitted } = await admit({ pipeline: workflowType, executionId: workflowId, runId, records });
  if (indexed)
    upsertSearchAttributes([
      { key: searchAttributes.pipeline, value: admitted.pipeline },
      { key: searchAttributes.version, value: admitted.version },
    ]);
  return admitted;
}

function isExecutionArgument(argument: unknown): argument is ExecutionArgument {
  return typeof argument === 'object' && argument !== null && '$autoflow' in argument;
}

function forThisPipeline(argument: ExecutionArgument): ExecutionArgument {
  const { workflowType } = workflowInfo();
  if (argument.$autoflow !== 'execution/1')
    throw ApplicationFailure.nonRetryable(
      `the argument is of format '${String(argument.$autoflow)}'; this worker understands 'execution/1'`,
      'BAD_ARGUMENT',
    );
  if (argument.pipeline !== workflowType)
    throw ApplicationFailure.nonRetryable(
      `the argument is for pipeline '${argument.pipeline}', the workflow type is '${workflowType}'`,
      'BAD_ARGUMENT',
    );
  return argument;
}

function settleRequest(
  execution: ExecutionArgument,
  walk: Walk,
  ended: { error: unknown } | undefined,
  collect: boolean,
): Parameters<typeof settle>[0] {
  const { pipeline, version, release, scope, batchId, batch } = execution;
  const base = { execution: { pipeline, version, release, scope, batchId, batch }, collect: collect && !ended };
  const { outputs, partial } = walk.files(ended !== undefined);
  if (ended === undefined) return { ...base, outputs, cancelled: false };
  if (isCancellation(ended.error)) return { ...base, outputs, partial, cancelled: true };
  return { ...base, outputs, partial, cancelled: false, failure: { in: 'execution', ...terminalOf(ended.error) } };
}

function byState(
  outcomes: NonNullable<Awaited<ReturnType<typeof settle>>['outcomes']>,
): Pick<DirectResult, 'results' | 'filtered' | 'dead'> {
  return {
    results: outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [{ key: outcome.key, output: outcome.output }] : [])),
    filtered: outcomes.flatMap((outcome) =>
      outcome.state === 'filtered' ? [{ key: outcome.key, by: outcome.by, reason: outcome.reason }] : [],
    ),
    dead: outcomes.flatMap((outcome) =>
      outcome.state === 'dead' ? [{ key: outcome.key, in: outcome.in, code: outcome.code, message: outcome.message }] : [],
    ),
  };
}
