import { uniform, type ReplicatedSimulation } from '@autoflow/twin';
import { Evaluator, keyOf, type Evaluation } from './evaluator.js';
import { gapOf, type Gap } from './gap.js';
import type { CpuClock } from './pacer.js';
import { paretoFront } from './pareto.js';
import { type Budget, type Guardrail, type Plan, type Problem } from './problem.js';
import type { ExactSpace, Proposer, Search } from './proposer.js';
import { PROPOSERS } from './proposers/index.js';
import { limitsFirst, regret } from './score.js';
import { PlanSpace } from './space/plan-space.js';
import { chooseWinner, replicated, whyNone, type Winner } from './winner.js';

export interface ProposeOptions {
  /** Default: all. */
  readonly proposers?: readonly Proposer[];
  /** Of all proposers together; each gets an equal part. Of time and computing it is what is left for those that have not finished. */
  readonly budget: Budget;
  /** Of a search for the same problem that was ended from outside: these are not asked again. */
  readonly finished?: readonly Finished[];
  readonly signal?: AbortSignal;
  /** Needed for a budget of computing. */
  readonly cpu?: CpuClock;
  readonly progress?: (progress: Progress) => void;
}
export interface Progress {
  readonly proposer: string;
  readonly done: number;
  readonly of: number;
  /** What the one before has come to: behind the last there is nothing but the choice. */
  readonly finished?: Finished;
}

/** All that one proposer adds to a search, as plain JSON: who has it need not ask that one again. */
export interface Finished {
  readonly standing: Standing;
  /** What the twin has told it, in the order in which it asked. */
  readonly evaluations: readonly Evaluation[];
  /** The budget of computing ended it. */
  readonly isCut: boolean;
}

export interface Standing {
  readonly proposer: string;
  readonly evaluations: number;
  readonly ms: number;
  /** Its best plan; none when it proposed nothing. */
  readonly best?: Evaluation;
  /** Of its best plan against the best that any has found; absent where it breaks a limit which that one keeps. */
  readonly regret?: number;
  readonly exact?: ExactSpace;
  readonly note?: string;
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
  readonly gap: Gap;
  readonly standing: readonly Standing[];
}

/**
 * The best plan that all proposers together come by under equal budgets, with the proof that it is legal and a prediction with interval; or that
 * what runs should stay. A plan is proposed only if its certificate passes the checker, if it keeps the limits as soon as what runs or any plan that
 * was looked at does, and if it is better than the start by more than chance: cheaper (or faster), or within limits that the start breaks.
 */
export async function propose(problem: Problem, options: ProposeOptions): Promise<Proposed> {
  const { proposers = PROPOSERS, budget, finished = [], signal, cpu, progress } = options;
  const start: Plan = { ...problem.start, steps: [] };
  const largest = Math.max(...new PlanSpace(problem).batchings.map(({ records }) => records));
  const evaluator = new Evaluator(problem, largest);
  const running = evaluator.evaluate(start);
  const tail = running === undefined ? 1 : Math.max(1, running.figures.p99Ms / running.figures.p95Ms);

  const known = new Map(finished.map((one) => [one.standing.proposer, one]));
  const share = shareOf(budget, proposers.length, proposers.length - known.size);
  const all: Finished[] = [];
  for (const [done, proposer] of proposers.entries()) {
    const { name } = proposer;
    const before = all.at(-1);
    progress?.({ proposer: name, done, of: proposers.length, ...(before && !known.has(before.standing.proposer) && { finished: before }) });
    const account = evaluator.account(share, signal, cpu);
    // A space of its own for each: what another has prepared is not there. Plans that the twin has judged are known to all, and cost those that come later no time.
    const search = { problem, space: new PlanSpace(problem, tail), account, random: uniform(problem.seed + 7919 * (done + 1)) };
    const one = known.get(name) ?? (await finish(proposer, search));
    evaluator.know(one.evaluations);
    all.push(one);
  }
  const standing = all.map((one) => one.standing);
  const isCut = all.some((one) => one.isCut);

  const ranked = evaluator.evaluations.sort(limitsFirst);
  const result = {
    ...(isCut && { isCut: true as const }),
    front: paretoFront(ranked),
    standing: standing.map((one) => ({ ...one, ...regretOf(one, ranked[0]) })),
  };
  const now = replicated(problem, evaluator, start);
  const shown = { ...(running && { evaluation: running }), ...(now && { predicted: now }) };
  const found = chooseWinner(problem, evaluator, ranked, now, signal);
  const gap = gapOf(standing, ranked, found?.evaluation ?? running);
  if (found === undefined) return { reason: whyNone(ranked, running), start: shown, gap, ...inRolloutOf(problem, running), ...result };
  const { proposer = 'search' } = standing.find(({ best }) => best && keyOf(best.plan) === keyOf(found.evaluation.plan)) ?? {};
  const { evaluation, ...winner } = found;
  return { winner: { ...winner, proposer }, start: shown, gap, ...inRolloutOf(problem, running, evaluation), ...result };
}

/** Plans in equal parts of the whole, so that a search that goes on asks as the one before it; time and computing of what is left. */
function shareOf({ evaluations, ms, cpuMs }: Budget, proposers: number, asked: number): Budget {
  const left = Math.max(1, asked);
  return {
    evaluations: Math.max(1, Math.floor(evaluations / proposers)),
    ms: ms / left,
    ...(cpuMs !== undefined && { cpuMs: cpuMs / left }),
  };
}

async function finish(proposer: Proposer, search: Search): Promise<Finished> {
  const { account } = search;
  const { ranked, exact, note } = await proposer.propose(search);
  const standing = {
    proposer: proposer.name,
    ...account.used,
    // The start alone was looked at, to compare with.
    ...(ranked[0] && (exact !== undefined || account.used.evaluations > 1) && { best: ranked[0] }),
    ...(exact && { exact }),
    ...(note !== undefined && { note }),
  };
  return { standing, evaluations: account.evaluations, isCut: account.pacer.hasComputedAll };
}

function regretOf({ best }: Standing, leader: Evaluation | undefined): Pick<Standing, 'regret'> {
  return best === undefined || best.keepsLimits !== leader?.keepsLimits ? {} : { regret: regret(best.score, leader.score) };
}

function inRolloutOf({ rollout }: Problem, running: Evaluation | undefined, winner?: Evaluation): Pick<Proposed, 'rollout'> {
  if (rollout === undefined || running?.rolloutP95Ms === undefined) return {};
  const { ratePerSecond } = rollout;
  const p95Ms = winner?.rolloutP95Ms;
  return { rollout: { ratePerSecond, runningP95Ms: running.rolloutP95Ms, ...(p95Ms !== undefined && { p95Ms }) } };
}
