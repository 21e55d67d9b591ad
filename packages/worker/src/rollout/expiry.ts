/** Decisions expire: a version that was promoted for one workload is looked at again when another one comes. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { drift, type WorkloadBlock } from '@autoflow/experiment';
import type { RolloutRow, Store, WorkloadRow } from '@autoflow/store';
import { CONTROL_QUEUE, type OptimizationInput } from '@autoflow/topology';
import { mayAct } from '@autoflow/topology/autonomy';
import { OPTIMIZATION_WORKFLOW, optimizationWorkflowId } from '@autoflow/workflows';
import type { Log } from '../log.js';
import { eachByItself, repeating } from '../repeating.js';

const EVERY_MS = 10 * 60_000;
/** What is compared: the hour that ended with the decision, and the last one. */
const WINDOW_MS = 3_600_000;
const BLOCK_MS = 120_000;

interface Ports {
  readonly store: Pick<Store, 'rollouts' | 'comparisons' | 'definitions' | 'settings' | 'optimizations'>;
  readonly client: Client;
  readonly log: Log;
  /** Whether workers of this kind optimize. */
  readonly optimizes: boolean;
}

export function startExpiry(ports: Ports): { close(): Promise<void> } {
  return repeating('looking for workloads that have drifted', EVERY_MS, () => expireDecisions(ports), ports.log);
}

/**
 * Any number of processes may do it: a version expires once, and there is one optimization for it, as soon as there may be: a freeze, another optimization
 * or a Temporal that is away only put it off.
 */
export async function expireDecisions(ports: Ports): Promise<void> {
  await eachByItself(
    await ports.store.definitions.pipelines(),
    async ({ name, stable }) => {
      const decision = await ports.store.rollouts.lastPromoted(name);
      if (decision?.version === stable.version && (await hasExpired(decision, ports)) && ports.optimizes) await optimize(decision, ports);
    },
    ({ name }, error) => ports.log('warn', 'whether a workload has drifted could not be told', { pipeline: name, error }),
  );
}

async function hasExpired(decision: RolloutRow, { store, log }: Ports): Promise<boolean> {
  const { pipeline, version } = decision;
  if ((await store.definitions.statuses(pipeline, version)).at(-1)?.status === 'expired') return true;
  const reasons = await driftSince(decision, store);
  if (reasons.length === 0) return false;
  const reason = `the workload has drifted: ${reasons.join('; ')}`;
  if (await store.definitions.expire(pipeline, version, { actor: 'drift detector', reason }))
    log('info', 'a decision has expired', { pipeline, version, reason });
  return true;
}

/** In what the last hour is not like the hour in which it was decided; nothing before there is a whole one. */
export async function driftSince(
  { pipeline, endedAt }: Pick<RolloutRow, 'pipeline' | 'endedAt'>,
  { comparisons }: Pick<Store, 'comparisons'>,
  windowMs = WINDOW_MS,
  blockMs = BLOCK_MS,
): Promise<readonly string[]> {
  const [now, decided] = [await comparisons.clock(), endedAt!.getTime()];
  if (now - decided < windowMs) return [];
  const blocksUntil = async (to: number): Promise<WorkloadBlock[]> =>
    featuresOf(
      await comparisons.workload({ pipeline, from: to - windowMs, to, blockMs }),
      to - windowMs,
      Math.floor(windowMs / blockMs),
      blockMs,
    );
  return drift(await blocksUntil(decided), await blocksUntil(now)).reasons;
}

/** A block in which nothing came is a block with a rate of nothing. */
function featuresOf(rows: readonly WorkloadRow[], from: number, blocks: number, blockMs: number): WorkloadBlock[] {
  const found = new Map(rows.map((row) => [Math.round((row.at - from) / blockMs), row]));
  return Array.from({ length: blocks }, (_, block): WorkloadBlock => {
    const row = found.get(block);
    if (row === undefined) return { rate: { sum: 0, count: 1 } };
    const { records, bytes, settled, filtered } = row;
    return {
      rate: { sum: records, count: 1 },
      'bytes per record': { sum: bytes, count: records },
      ...(settled > 0 && { 'share that is filtered': { sum: filtered, count: settled } }),
    };
  });
}

/** Its row is made by the workflow, where no other optimization of the pipeline runs: without a row it is asked for again the next time. */
async function optimize({ id, pipeline }: RolloutRow, { store, client }: Ports): Promise<void> {
  const settings = await store.settings.get(pipeline);
  if (settings === undefined || !mayAct(settings, new Date(), { kind: 'propose' }).allowed) return;
  const optimization = `opt-expired-${id}`;
  if ((await store.optimizations.get(optimization)) !== undefined) return;
  const args: [OptimizationInput] = [{ optimization, pipeline, request: { dryRun: false }, by: 'schedule' }];
  const workflow = { taskQueue: CONTROL_QUEUE, workflowId: optimizationWorkflowId(optimization), args };
  await client.workflow.start(OPTIMIZATION_WORKFLOW, workflow).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}
