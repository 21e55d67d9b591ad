import { checkCertificate, certify, type Certificate } from '@autoflow/topology/rewrites';
import { estimate, poissonArrivals, replicate, simulate, uniform, type Estimate, type ReplicatedSimulation } from '@autoflow/twin';
import { Evaluator, keyOf, type Evaluation } from './evaluator.js';
import type { CpuClock } from './pacer.js';
import { paretoFront } from './pareto.js';
import { type Budget, type Guardrail, type Plan, type Problem } from './problem.js';
import type { ExactSpace, Proposer } from './proposer.js';
import { PROPOSERS } from './proposers/index.js';
import { regret, scoreOf } from './score.js';
import { limitsOf, PlanSpace } from './space/plan-space.js';

export interface ProposeOptions {
  /** Default: all. */
  readonly proposers?: readonly Proposer[];
  /** Of all proposers together; each gets an equal part. */
  readonly budget: Budget;
  readonly signal?: AbortSignal;
  /** Needed for a budget of computing. */
  readonly cpu?: CpuClock;
  readonly progress?: (progress: Progress) => void;
}
export interface Progress {
  readonly proposer: string;
  readonly done: number;
  readonly of: number;
}

export interface Standing {
  readonly proposer: string;
  readonly evaluations: number;
  readonly ms: number;
  /** Its best plan; none when it proposed nothing. */
  readonly best?: Evaluation;
  /** Of its best plan against the best that any has found. */
  readonly regret?: number;
  readonly exact?: ExactSpace;
  readonly note?: string;
}

export interface Winner {
  readonly plan: Plan;
  readonly proposer: string;
  readonly certificate: Certificate;
  readonly predicted: ReplicatedSimulation;
  /** Score of the winner less that of the start over the same records: −0.1 is about ten per cent better. */
  readonly gain: Estimate;
}

export interface Proposed {
  /** Absent: keep what runs, for `reason`. */
  readonly winner?: Winner;
  readonly reason?: string;
  /** With the load of an arm of the rollout: p95 of what runs and of the winner, as the twin sees them. */
  readonly rollout?: Pick<Guardrail, 'ratePerSecond'> & { readonly runningP95Ms: number; readonly p95Ms?: number };
  readonly start: { readonly evaluation?: Evaluation; readonly predicted?: ReplicatedSimulation };
  /** The budget of computing ended a search. */
  readonly isCut?: true;
  readonly front: readonly Evaluation[];
  /** To the exact optimum of what could be enumerated, or said why there is none. */
  readonly gap: { readonly share: number; readonly space: ExactSpace } | { readonly reason: string };
  readonly standing: readonly Standing[];
}

/** Plans whose lead over the start is looked at more closely, the best first. */
const FINALISTS = 5;
const REPLICATIONS = 5;
const RECORDS = 1000;

/**
 * The best plan that all proposers together come by under equal budgets, with the proof that it is legal and a prediction with interval; or that
 * what runs should stay. A plan is proposed only if its certificate passes the checker and its lead over the start is more than chance.
 */
export async function propose(problem: Problem, options: ProposeOptions): Promise<Proposed> {
  const { proposers = PROPOSERS, budget, signal, cpu, progress } = options;
  const start: Plan = { ...problem.start, steps: [] };
  const largest = Math.max(...new PlanSpace(problem).batchings.map(({ records }) => records));
  const evaluator = new Evaluator(problem, largest);
  const running = evaluator.evaluate(start);
  const tail = running === undefined ? 1 : Math.max(1, running.figures.p99Ms / running.figures.p95Ms);

  const share: Budget = {
    evaluations: Math.max(1, Math.floor(budget.evaluations / proposers.length)),
    ms: budget.ms / proposers.length,
    ...(budget.cpuMs !== undefined && { cpuMs: budget.cpuMs / proposers.length }),
  };
  const standing: Standing[] = [];
  let isCut = false;
  for (const [done, proposer] of proposers.entries()) {
    progress?.({ proposer: proposer.name, done, of: proposers.length });
    const account = evaluator.account(share, signal, cpu);
    // A space of its own for each, so that none finds what another has prepared.
    const search = { problem, space: new PlanSpace(problem, tail), account, random: uniform(problem.seed + 7919 * (done + 1)) };
    const { ranked, exact, note } = await proposer.propose(search);
    isCut ||= account.pacer.hasComputedAll;
    standing.push({
      proposer: proposer.name,
      ...account.used,
      // The start alone was looked at, to compare with.
      ...(ranked[0] && (exact !== undefined || account.used.evaluations > 1) && { best: ranked[0] }),
      ...(exact && { exact }),
      ...(note !== undefined && { note }),
    });
  }

  const ranked = evaluator.evaluations.sort((a, b) => a.score - b.score);
  const result = {
    ...(isCut && { isCut: true as const }),
    front: paretoFront(ranked),
    gap: gapOf(standing, ranked[0]),
    standing: standing.map((one) => (one.best ? { ...one, regret: regret(one.best.score, ranked[0]!.score) } : one)),
  };
  const now = replicated(problem, evaluator, start);
  const shown = { ...(running && { evaluation: running }), ...(now && { predicted: now }) };
  const inRollout = (winner?: Evaluation): Pick<Proposed, 'rollout'> => inRolloutOf(problem, running, winner);
  for (const evaluation of ranked.filter(({ isRefused }) => !isRefused).slice(0, FINALISTS)) {
    signal?.throwIfAborted();
    if (keyOf(evaluation.plan) === keyOf(start)) break;
    const certificate = certified(problem, evaluation.plan);
    const predicted = certificate && replicated(problem, evaluator, evaluation.plan);
    if (certificate === undefined || predicted === undefined) continue;
    const gain = now === undefined ? { mean: Number.NEGATIVE_INFINITY, halfWidth: 0 } : lead(problem, predicted, now);
    if (!(gain.mean + gain.halfWidth < 0)) continue;
    const by = standing.find(({ best }) => best && keyOf(best.plan) === keyOf(evaluation.plan))?.proposer ?? 'search';
    return {
      winner: { plan: evaluation.plan, proposer: by, certificate, predicted, gain },
      start: shown,
      ...inRollout(evaluation),
      ...result,
    };
  }
  const reason = ranked[0]?.isRefused
    ? 'what leads would be taken back by its rollout: with the load of an arm of the canary its p95 is above what is asked.'
    : 'no plan was found whose lead over what runs is more than chance.';
  return { reason, start: shown, ...inRollout(), ...result };
}

function inRolloutOf({ rollout }: Problem, running: Evaluation | undefined, winner: Evaluation | undefined): Pick<Proposed, 'rollout'> {
  if (rollout === undefined || running?.rolloutP95Ms === undefined) return {};
  const { ratePerSecond } = rollout;
  const p95Ms = winner?.rolloutP95Ms;
  return { rollout: { ratePerSecond, runningP95Ms: running.rolloutP95Ms, ...(p95Ms !== undefined && { p95Ms }) } };
}

/** Undefined where the steps prove nothing, or an independent checker objects: such a plan is not proposed. */
export function certified(problem: Problem, { topology, steps }: Plan): Certificate | undefined {
  const { spec, start } = problem;
  const limits = limitsOf(problem);
  const certificate = certify(spec, start.topology, topology, steps, limits);
  return checkCertificate(spec, start.topology, topology, certificate, limits).length === 0 ? certificate : undefined;
}

/** Over records that no search has seen: the best of many is a little lucky on its own. Undefined: the plan cannot run. */
export function replicated(problem: Problem, evaluator: Evaluator, plan: Plan): ReplicatedSimulation | undefined {
  if (evaluator.evaluate(plan) === undefined) return undefined;
  const model = evaluator.model(plan);
  const records = Math.max(RECORDS, 20 * Math.min(200, model.batchRecords));
  return replicate(
    (seed) =>
      simulate(model, plan.allocation, {
        arrivals: poissonArrivals(problem.ratePerSecond, records, OTHERS + seed),
        seed: OTHERS + seed,
        openExecutions: 'fed',
      }),
    REPLICATIONS,
  );
}
const OTHERS = 1_000_003;

/** Run by run, as both got the same records. */
function lead({ objective, ratePerSecond }: Problem, plan: ReplicatedSimulation, start: ReplicatedSimulation): Estimate {
  const score = ({ costPer1000, latencyMs, throughput }: ReplicatedSimulation['runs'][number]): number =>
    scoreOf(objective, 0.95 * ratePerSecond, { costPer1000: costPer1000.all, p95Ms: latencyMs.p95, p99Ms: latencyMs.p99, throughput });
  return estimate(plan.runs.map((run, i) => score(run) - score(start.runs[i]!)));
}

function gapOf(standing: readonly Standing[], best: Evaluation | undefined): Proposed['gap'] {
  const exact = standing.find((one) => one.exact?.by === 'twin') ?? standing.find((one) => one.exact !== undefined);
  if (exact?.exact === undefined || exact.best === undefined || best === undefined)
    return { reason: standing.find(({ note }) => note !== undefined)?.note ?? 'no proposer that enumerates was asked' };
  return { share: regret(best.score, exact.best.score), space: exact.exact };
}
