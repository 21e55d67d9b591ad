/** A decision that has expired is made anew by optimizations, until one of them has an answer. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { DecisionRow, OptimizationRow, Store } from '@autoflow/store';
import { CONTROL_QUEUE, type OptimizationInput } from '@autoflow/topology';
import { mayAct } from '@autoflow/topology/autonomy';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import { isOptimizationRunning } from '@autoflow/workflows/runs';
import { driftSince } from './drifting.js';
import { exploredUsd } from './harm.js';

interface Ports {
  readonly store: Pick<Store, 'decisions' | 'rollouts' | 'comparisons' | 'settings' | 'optimizations'>;
  readonly client: Client;
}

/** Behind the end of one that has no answer the next one waits so long; doubled with each, up to a day. */
const WAIT_MS = 3_600_000;
const MOST_WAIT_MS = 24 * WAIT_MS;

/**
 * The first looks at what was measured since the workload changed, each that follows at what came since the one before it ended: that may have had too
 * little, or have seen the change itself. A setting that forbids it, another optimization or a Temporal that is away only put it off. Where the answer
 * is that what is stable stays, this is the decision from then on, for the workload of now; what waits for a person is left to them.
 */
export async function decideAnew(decision: DecisionRow, expiredAt: Date, ports: Ports): Promise<void> {
  const { store, client } = ports;
  const settings = await store.settings.get(decision.pipeline);
  if (settings === undefined || !mayAct(settings, new Date(), { kind: 'propose' }).allowed) return;
  const now = await store.comparisons.clock();
  let before: Date | undefined;
  for (let attempt = 1; ; attempt++) {
    const id = `opt-expired-${decision.id}-${attempt}`;
    const row = await store.optimizations.get(id);
    if (row === undefined) return optimize(id, decision, before ?? (await changeOf(decision, expiredAt, ports)), ports);
    if (row.state === 'running' && (await isOptimizationRunning(client, id))) return;
    const kept = await answerOf(row, ports);
    if (kept === 'kept') await store.decisions.keep(decision, { actor: `optimizer/${id}`, reason: row.reason ?? 'nothing is better' });
    if (kept !== undefined) return;
    before = row.endedAt ?? row.createdAt;
    if (now < before.getTime() + Math.min(MOST_WAIT_MS, WAIT_MS * 2 ** (attempt - 1))) return;
  }
}

async function changeOf(decision: DecisionRow, expiredAt: Date, { store }: Ports): Promise<Date> {
  return (await driftSince(decision, store, expiredAt)).since ?? expiredAt;
}

/**
 * Undefined: it has none. What its rollout has taken back was no better; one that ended otherwise has shown nothing. What was registered waits for
 * a person, but not where AutoFlow may roll it out by itself (by now): then only another rollout, a freeze or a cap was in its way.
 */
async function answerOf(
  { pipeline, state, decisions, registered, rollout }: OptimizationRow,
  { store }: Ports,
): Promise<'kept' | 'waits' | undefined> {
  if (rollout !== undefined) {
    const row = await store.rollouts.get(rollout);
    return row?.endedAt === undefined ? 'waits' : row.state === 'rolled-back' ? 'kept' : undefined;
  }
  if (registered !== undefined) return (await mayRollOut(pipeline, registered, store)) ? undefined : 'waits';
  const { step, code } = decisions.at(-1) ?? {};
  if (state !== 'completed' || code === undefined) return undefined;
  if (code === 'NOTHING_BETTER' || code === 'ALLOCATED') return 'kept';
  return code === 'NOT_ALLOWED' && step === 'register' ? 'waits' : undefined;
}

async function mayRollOut(pipeline: string, version: string, store: Ports['store']): Promise<boolean> {
  const spentUsd = await exploredUsd(pipeline, store);
  return mayAct((await store.settings.get(pipeline))!, new Date(), { kind: 'canary', version, spentUsd }).allowed;
}

/** Its row is made by the workflow, where no other optimization of the pipeline runs: without a row it is asked for again the next time. */
async function optimize(id: string, { pipeline }: DecisionRow, changedAt: Date, { client }: Ports): Promise<void> {
  const request = { dryRun: false, changedAt: changedAt.getTime() };
  const args: [OptimizationInput] = [{ optimization: id, pipeline, request, by: 'schedule' }];
  const workflow = { taskQueue: CONTROL_QUEUE, workflowId: optimizationWorkflowId(id), args };
  await client.workflow.start(OPTIMIZATION_WORKFLOW, workflow).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}
