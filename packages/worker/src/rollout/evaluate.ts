/** What a canary has shown so far, and what follows from it. */
import { judge, unknownHarms, type Block, type GateSettings, type Judgement } from '@autoflow/experiment';
import type { ArmBlock, ComparisonQuery, RolloutRow, RolloutStep, Store } from '@autoflow/store';
import { NOT_DECIDED, type RolloutDecision } from '@autoflow/topology';

/** Hosts write what they measured once a second: of batches closed later the cost may not be known yet. */
const METERING_LAG_MS = 2_000;

/** `paired`: against the control group, over all steps that have one. `full`: of the present step, the candidate's slice against the holdout. */
export interface Judgements {
  readonly paired?: Judgement;
  readonly full?: Judgement;
}
export interface Evaluation {
  readonly decision: Exclude<RolloutDecision['decision'], 'await-approval' | 'superseded'>;
  readonly reason: string;
  readonly judgement: Judgements;
}

/**
 * Gain and guardrails are shown against the control group, step after step in one sequence; what follows without one (a slice beside the holdout)
 * is only watched, and decides alone where there was no control group at all. Alpha is divided among the sequences. The first step is left only when it is
 * bounded there how much the candidate hurts (`unknownHarms`): with probability 1 - alpha one that hurts more never gets more of the traffic. `held`:
 * it is paused or frozen, and its time does not run.
 */
export async function evaluate(row: RolloutRow, held: boolean, { comparisons }: Pick<Store, 'comparisons'>): Promise<Evaluation> {
  const now = await comparisons.clock();
  const { settings, steps } = row;
  const current = steps.at(-1)!;
  const planned = settings.steps.filter((percent) => !isPaired({ percent })).length;
  const gate: GateSettings = {
    ...settings,
    alpha: settings.alpha / (planned + (settings.steps.some((percent) => isPaired({ percent })) ? 1 : 0)),
  };
  const blocksOf = (step: RolloutStep) => comparisons.blocks(queryOf(row, step, now));
  const recent = await blocksOf(current);
  const before = await Promise.all(steps.slice(0, -1).filter(isPaired).map(blocksOf));
  const pairs = [...before.flat(), ...(isPaired(current) ? recent : [])];
  const paired =
    pairs.length > 0 || isPaired(current) ? judge(pairs.map(blockOf), 0.5, gate, isPaired(current) ? recent.map(blockOf) : []) : undefined;
  const full = isPaired(current) ? undefined : judge(recent.map(blockOf), shareOf(row, current), gate);
  const judgement = { ...(paired && { paired }), ...(full && { full }) };
  return { ...follows(row, judgement, recordsOf(recent), held ? 0 : now - steps[0]!.from - row.heldMs), judgement };
}

function follows(
  { settings, steps }: RolloutRow,
  { paired, full }: Judgements,
  inStep: number,
  ranMs: number,
): Pick<Evaluation, 'decision' | 'reason'> {
  const harms = [paired, full].flatMap((judgement) => (judgement?.verdict === 'roll-back' ? judgement.reasons : []));
  if (harms.length > 0) return { decision: 'roll-back', reason: harms.join('; ') };
  const proof = paired ?? full!;
  const last = steps.length === settings.steps.length;
  // The last step that has a control group is where it has to be shown.
  const mustShow = last || (isPaired(steps.at(-1)!) && !isPaired({ percent: settings.steps[steps.length]! }));
  const missing = [
    ...(inStep < settings.minimumRecords ? [`${inStep} of ${settings.minimumRecords} records at this step`] : []),
    ...(mustShow ? (proof.verdict !== 'promote' ? proof.reasons : []) : steps.length === 1 ? unknownHarms(proof) : []),
  ];
  if (missing.length === 0)
    return last
      ? { decision: 'promote', reason: proof.reasons.join('; ') }
      : { decision: 'advance', reason: steps.length === 1 ? 'its harm is bounded' : 'no harm is shown' };
  if (ranMs > settings.maximumMs) return { decision: 'abort', reason: `${NOT_DECIDED}: ${missing.join('; ')}` };
  return { decision: 'continue', reason: missing.join('; ') };
}

/** Like with like: arms of one size, each of which fills its batches by itself. Of nearly all of the traffic that is a slice. */
function comparedAt(step: RolloutStep, version: string): Pick<ComparisonQuery, 'ours' | 'theirs'> {
  if (isPaired(step)) return { ours: { arm: 'candidate' }, theirs: { arm: 'control' } };
  return { ours: step.sliced === true ? { arm: 'control', version } : { arm: 'candidate' }, theirs: { arm: 'holdout' } };
}
const isPaired = ({ percent }: Pick<RolloutStep, 'percent'>): boolean => percent <= 50;

function queryOf({ id, pipeline, version, settings, steps }: RolloutRow, step: RolloutStep, now: number): ComparisonQuery {
  const { blockMs, warmupMs, margins } = settings;
  return {
    pipeline,
    ...comparedAt(step, version),
    from: step.from + warmupMs,
    // What arrived at the very end of a step may have got the shares of the next one.
    to: step.to === undefined ? now - METERING_LAG_MS : step.to - blockMs,
    blockMs,
    slower: { p95: 1 + (margins.p95 ?? 0), p99: 1 + (margins.p99 ?? 0) },
    waiting: step.to === undefined,
    kept: { rollout: id, step: steps.indexOf(step) },
  };
}

function shareOf({ settings: { holdoutPercent } }: RolloutRow, { percent, sliced }: RolloutStep): number {
  if (sliced === true) return 0.5;
  const candidate = ((100 - holdoutPercent) * percent) / 100;
  return candidate / (candidate + holdoutPercent);
}

const blockOf = ({ ours, theirs }: ArmBlock): Block => ({ candidate: ours, control: theirs });
const recordsOf = (blocks: readonly ArmBlock[]): number => blocks.reduce((sum, { ours }) => sum + ours.records, 0);
