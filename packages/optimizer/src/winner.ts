import { hashTopology } from '@autoflow/topology';
import { applyStep, certify, CertifyError, checkCertificate, dropAllDead, type Certificate } from '@autoflow/topology/rewrites';
import { arrivalsOf, estimate, replicate, type Estimate, type ReplicatedSimulation } from '@autoflow/twin';
import { keyOf, recordsOfShape, type Evaluation, type Evaluator } from './evaluator.js';
import type { Plan, Problem } from './problem.js';
import { keepsLimits, SCORE, scoreOf } from './score.js';
import { limitsOf } from './space/plan-space.js';

export interface Winner {
  readonly plan: Plan;
  readonly proposer: string;
  readonly certificate: Certificate;
  readonly predicted: ReplicatedSimulation;
  /** Carries the load within every limit. False: neither what runs nor any plan that was looked at does. */
  readonly keepsLimits: boolean;
  /**
   * Score of the winner less that of the start over the same records: −0.1 is about ten per cent better. Above 0 where the start breaks a limit.
   * Absent where what runs cannot run in the twin: anything that can is better.
   */
  readonly gain?: Estimate;
}

/** Plans whose lead over the start is looked at more closely, the best first; and how many may turn out to break a limit then. */
const FINALISTS = 5;
const BREAKING = 20;
const REPLICATIONS = 5;
const RECORDS = 1000;
/** As many records again as make so many batches; fewer of very large ones. */
const BATCHES = 20;
const FEWEST_BATCHES = 6;
const MOST_RECORDS = 4_000;

/**
 * The first of the ranked plans (by `limitsFirst`) that is certified, within the limits over records that no search has seen, and better than the start
 * by more than chance: in its score, or by limits that the start breaks. Where nothing keeps the limits, not even what runs, they decide nothing.
 * What is excluded is passed over, as if nobody had found it. `now`: what runs, replicated; undefined where it cannot run.
 */
export function chooseWinner(
  problem: Problem,
  evaluator: Evaluator,
  ranked: readonly Evaluation[],
  now: ReplicatedSimulation | undefined,
  signal?: AbortSignal,
): (Omit<Winner, 'proposer'> & { readonly evaluation: Evaluation }) | undefined {
  const start = keyOf({ ...problem.start, steps: [] });
  const excluded = new Set(problem.excluded);
  const canBeKept = ranked[0]?.keepsLimits === true || (now !== undefined && keeps(problem, now));
  let [closer, breaking] = [0, 0];
  for (const evaluation of ranked) {
    signal?.throwIfAborted();
    const { plan, isRefused } = evaluation;
    if (keyOf(plan) === start || closer === FINALISTS || breaking === BREAKING) return undefined;
    const proved = isRefused || excluded.has(hashTopology(plan.topology)) ? undefined : asProposed(problem, plan);
    if (proved === undefined || excluded.has(hashTopology(proved.plan.topology))) continue;
    const predicted = replicated(problem, evaluator, plan);
    if (predicted === undefined) continue;
    const within = keeps(problem, predicted);
    if (canBeKept && !within) breaking++;
    else {
      closer++;
      const gain = now && lead(problem, predicted, now);
      const keepsMore = within && now !== undefined && surelyBreaks(problem, now);
      if (gain === undefined || keepsMore || gain.mean + gain.halfWidth < 0)
        return {
          ...{ ...proved, predicted, keepsLimits: within, evaluation },
          ...(gain && { gain }),
        };
    }
  }
  return undefined;
}

/** Undefined: it cannot be proved. */
function asProposed(problem: Problem, plan: Plan): Pick<Winner, 'plan' | 'certificate'> | undefined {
  const certificate = certified(problem, plan);
  return certificate && (withoutDeadFields(problem, plan) ?? { plan, certificate });
}

/**
 * The plan, writing on between its stages only what is needed behind them, as certified as it was. The twin counts whole records, so it is predicted as
 * it was: at most a little too dear. Undefined: nothing is dead, or it cannot be proved.
 */
function withoutDeadFields(problem: Problem, plan: Plan): Pick<Winner, 'plan' | 'certificate'> | undefined {
  const drops = dropAllDead(problem.spec, plan.topology);
  if (drops.length === 0) return undefined;
  const lean = { ...plan, topology: drops.reduce(applyStep, plan.topology), steps: [...plan.steps, ...drops] };
  const certificate = certified(problem, lean);
  return certificate && { plan: lean, certificate };
}

/** Why what runs stays. */
export function whyNone(ranked: readonly Evaluation[], running: Evaluation | undefined): string {
  const others = ranked.filter((one) => one !== running);
  if (others.length > 0 && others.every(({ isRefused }) => isRefused))
    return 'whatever else was found would be taken back by its rollout: with the load of an arm of the canary its p95 is above what is asked.';
  const none = 'no plan was found whose lead over what runs is more than chance';
  const breaking = running?.keepsLimits ? ranked.filter((one) => !one.keepsLimits && one.score < running.score).length : 0;
  return breaking > 0 ? `${none} within the limits, which ${breaking} that would save more break.` : `${none}.`;
}

/** Undefined where the steps prove nothing, or an independent checker objects: such a plan is not proposed. */
export function certified(problem: Problem, { topology, steps }: Plan): Certificate | undefined {
  const { spec, start } = problem;
  const limits = limitsOf(problem);
  try {
    const certificate = certify(spec, start.topology, topology, steps, limits);
    return checkCertificate(spec, start.topology, topology, certificate, limits).length === 0 ? certificate : undefined;
  } catch (error) {
    if (error instanceof CertifyError) return undefined;
    throw error;
  }
}

/** Over records that no search has seen: the best of many is a little lucky on its own. Undefined: the plan cannot run. */
export function replicated(problem: Problem, evaluator: Evaluator, plan: Plan): ReplicatedSimulation | undefined {
  if (evaluator.evaluate(plan) === undefined) return undefined;
  // Enough for what runs too: it is compared run by run, over the same records.
  const ofShape = Math.min(MOST_RECORDS, recordsOfShape(problem));
  const records = Math.max(ofShape, ...[plan, problem.start].map((one) => recordsFor(evaluator.model(one).batchRecords)));
  return replicate((seed) => evaluator.simulation(plan, arrivalsOf(problem, records, OTHERS + seed), OTHERS + seed), REPLICATIONS);
}
const OTHERS = 1_000_003;

const recordsFor = (batch: number): number => Math.max(RECORDS, Math.min(MOST_RECORDS, BATCHES * batch), FEWEST_BATCHES * batch);

/** Run by run, as both got the same records. */
function lead({ objective, ratePerSecond }: Problem, plan: ReplicatedSimulation, start: ReplicatedSimulation): Estimate {
  const score = ({ costPer1000, latencyMs, throughput }: ReplicatedSimulation['runs'][number]): number =>
    scoreOf(objective, SCORE.sample * ratePerSecond, {
      costPer1000: costPer1000.all,
      p95Ms: latencyMs.p95,
      p99Ms: latencyMs.p99,
      throughput,
    });
  return estimate(plan.runs.map((run, i) => score(run) - score(start.runs[i]!)));
}

/** In the mean of the replications. */
function keeps({ objective, ratePerSecond }: Problem, { latencyMs, throughput }: ReplicatedSimulation): boolean {
  const figures = { p95Ms: latencyMs.p95.mean, p99Ms: latencyMs.p99.mean, throughput: throughput.mean };
  return keepsLimits(objective, SCORE.sample * ratePerSecond, figures);
}

/** By more than chance. */
function surelyBreaks({ objective, ratePerSecond }: Problem, { latencyMs, throughput }: ReplicatedSimulation): boolean {
  const least = ({ mean, halfWidth }: Estimate): number => mean - halfWidth;
  const figures = { p95Ms: least(latencyMs.p95), p99Ms: least(latencyMs.p99), throughput: throughput.mean + throughput.halfWidth };
  return !keepsLimits(objective, SCORE.sample * ratePerSecond, figures);
}
