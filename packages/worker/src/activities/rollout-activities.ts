/** The activities of the Rollout workflow. Each reads the rollout's row first: it may have ended meanwhile, by somebody's hand. */
import { Context } from '@temporalio/activity';
import { NotFoundError, type RolloutRow, type Store } from '@autoflow/store';
import type { RolloutActivities, RolloutDecision } from '@autoflow/topology';
import { APPROVAL_DAYS, mayAct, type OwnAct, type Verdict } from '@autoflow/topology/autonomy';
import { atActivityBoundary } from '../errors.js';
import { evaluate, type Evaluation } from '../rollout/evaluate.js';
import { charge, exploredUsd, harmOf } from '../rollout/harm.js';

const WORKFLOW = { actor: 'rollout workflow' } as const;
const LOOK_MS = 500;
const DAY_MS = 86_400_000;

export interface RolloutPorts {
  readonly store: Pick<Store, 'rollouts' | 'comparisons' | 'settings' | 'hosts' | 'definitions'>;
}

export function rolloutActivities(ports: RolloutPorts): RolloutActivities {
  const { rollouts } = ports.store;
  const rowOf = async (id: string): Promise<RolloutRow> => {
    const row = await rollouts.get(id);
    if (row === undefined) throw new NotFoundError('rollout', id);
    return row;
  };
  return {
    planRollout: atActivityBoundary(async ({ rollout }) => {
      const { pipeline, version, baseline, settings, steps, state, paused } = await rowOf(rollout);
      return { pipeline, version, baseline, settings, step: steps.length, state, paused };
    }),
    enterRollout: atActivityBoundary(async ({ rollout, phase, report }) => {
      const row = await rollouts.enter(rollout, phase, { ...WORKFLOW, reason: phase }, report);
      return row.endedAt === undefined ? { decision: 'advance', reason: phase } : superseded(row);
    }),
    warmRollout: atActivityBoundary(async ({ rollout }) => untilWarm(await rowOf(rollout), () => rowOf(rollout), ports)),
    stepRollout: atActivityBoundary(async ({ rollout, step }) => takeStep(await rowOf(rollout), step, ports)),
    evaluateRollout: atActivityBoundary(async ({ rollout }) => {
      const row = await rowOf(rollout);
      if (row.endedAt !== undefined) return superseded(row);
      const verdict = await mayHaveTraffic(row, ports);
      const held = row.paused || isFrozen(verdict);
      const found = await evaluate(row, held, ports.store);
      const decided = found.decision === 'roll-back' ? found : await asFarAsItMay(row, found, verdict, ports);
      await rollouts.evaluated(rollout, { ...decided, judgement: found.judgement, percent: row.steps.at(-1)!.percent, held });
      return { decision: decided.decision, reason: decided.reason };
    }),
    pauseRollout: atActivityBoundary(async ({ rollout, paused, actor, reason }) => {
      await rollouts.pause(rollout, paused, { actor, reason });
    }),
    endRollout: atActivityBoundary(async ({ rollout, outcome, unlessPaused = false, actor, reason }) => {
      const { state, endedAt } = await rollouts.end({ id: rollout, outcome, unlessPaused, by: { actor, reason } });
      return endedAt === undefined ? undefined : (state as typeof outcome);
    }),
    chargeRollout: atActivityBoundary(async ({ rollout }) => charge(await rowOf(rollout), ports.store)),
  };
}

/** Every pool of the candidate is polled by some host. */
async function untilWarm(
  { pipeline, version }: RolloutRow,
  current: () => Promise<RolloutRow>,
  { store }: RolloutPorts,
): Promise<RolloutDecision> {
  const context = Context.current();
  const allocation = await store.definitions.allocation(pipeline, version);
  const wanted = Object.entries(allocation?.stages ?? {}).map(([stage, { memoryMb }]) => `${stage} ${memoryMb}`);
  for (;;) {
    const row = await current();
    if (row.endedAt !== undefined) return superseded(row);
    const there = (await store.hosts.acknowledged(pipeline)).filter((pool) => pool.version === version);
    const polled = new Set(there.map(({ stage, memoryMb }) => `${stage} ${memoryMb}`));
    if (wanted.every((pool) => polled.has(pool))) return { decision: 'advance', reason: 'its pools are warm' };
    context.heartbeat();
    await context.sleep(LOOK_MS);
  }
}

async function takeStep(row: RolloutRow, step: number, ports: RolloutPorts): Promise<RolloutDecision> {
  if (row.endedAt !== undefined) return superseded(row);
  if (row.steps.length === step + 1) return { decision: 'advance', reason: 'it has these shares' };
  if (row.paused) return { decision: 'continue', reason: 'it is paused' };
  const verdict = await mayHaveTraffic(row, ports);
  if (!verdict.allowed) return { decision: isFrozen(verdict) ? 'continue' : 'abort', reason: verdict.reason };
  const { state, steps, ...after } = await ports.store.rollouts.step(row.id, step, { ...WORKFLOW, reason: `step ${step + 1}` });
  if (state === 'superseded') return superseded({ state, ...after });
  // Somebody has paused it just now.
  if (steps.length <= step) return { decision: 'continue', reason: 'it is paused' };
  return { decision: 'advance', reason: `${steps.at(-1)!.percent} %` };
}

/** `OUTDATED`, whoever has started it: a function of it was removed from the code. */
type Permit = Verdict | { readonly allowed: false; readonly code: 'OUTDATED'; readonly reason: string };
type Approval = Pick<Evaluation, 'reason'> & Pick<RolloutDecision, 'decision'>;

/** What is shown need not be done: somebody has paused it, or AutoFlow may not by itself. */
async function asFarAsItMay(row: RolloutRow, found: Evaluation, canary: Permit, ports: RolloutPorts): Promise<Approval> {
  const { decision, reason } = found;
  if (!canary.allowed && !isFrozen(canary)) return { decision: 'abort', reason: canary.reason };
  if (decision === 'continue' || decision === 'abort') return { decision, reason };
  if (row.paused) return { decision: 'continue', reason: `it is paused, and would ${decision}: ${reason}` };
  if (!canary.allowed) return { decision: 'continue', reason: `it would ${decision}: ${reason}. ${canary.reason}` };
  if (decision === 'advance') return { decision, reason };
  const verdict = await may(row, { kind: 'promote', version: row.version }, ports);
  return verdict.allowed ? { decision, reason } : awaitApproval(row, `${reason}. ${verdict.reason}`, ports);
}

/** For so long as the settings say: its traffic is not led there for ever because nobody looks. */
async function awaitApproval(row: RolloutRow, reason: string, ports: RolloutPorts): Promise<Approval> {
  const { approvalDays = APPROVAL_DAYS } = await settingsOf(row, ports);
  const waitedMs = row.provedAt === undefined ? 0 : (await ports.store.comparisons.clock()) - row.provedAt.getTime();
  if (waitedMs <= approvalDays * DAY_MS) return { decision: 'await-approval', reason };
  return {
    decision: 'abort',
    reason: `nobody promoted it within ${approvalDays} days (approvalDays) of its proof, pauses and freezes left out: ${reason}`,
  };
}

/**
 * Asked at every step and every evaluation: people turn autonomy down, pin, freeze and deploy while a canary runs. What it has cost is only looked up where
 * it matters.
 */
async function mayHaveTraffic(row: RolloutRow, ports: RolloutPorts): Promise<Permit> {
  const outdated = await ports.store.rollouts.outdated(row.pipeline, row.version);
  if (outdated !== undefined) return { allowed: false, code: 'OUTDATED', reason: outdated };
  const act = { kind: 'canary', version: row.version } as const;
  const capped = row.own && (await settingsOf(row, ports)).spendCapUsd !== undefined;
  return may(row, capped ? { ...act, spentUsd: await spentUsd(row, ports) } : act, ports);
}

/** By this canary and those before it. */
async function spentUsd(row: RolloutRow, { store }: RolloutPorts): Promise<number> {
  return (await exploredUsd(row.pipeline, store)) + Math.max(0, (await harmOf(row, store))?.extraUsd ?? 0);
}

/** A freeze passes; what else forbids it does not by itself. */
const isFrozen = (verdict: Permit): boolean => !verdict.allowed && verdict.code === 'FROZEN';

/** People are not asked. */
async function may(row: RolloutRow, act: OwnAct, ports: RolloutPorts): Promise<Verdict> {
  return row.own ? mayAct(await settingsOf(row, ports), new Date(), act) : { allowed: true };
}

async function settingsOf({ pipeline }: RolloutRow, { store }: RolloutPorts) {
  const settings = await store.settings.get(pipeline);
  if (settings === undefined) throw new NotFoundError('pipeline', pipeline);
  return settings;
}

function superseded({ state, outcome }: Pick<RolloutRow, 'state' | 'outcome'>): RolloutDecision {
  return { decision: 'superseded', reason: outcome ?? state };
}
