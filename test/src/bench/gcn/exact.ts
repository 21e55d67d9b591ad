/** Regret against the exact optimum by twin, and the order of all plans, of every ranker. */
import { Evaluator, PlanSpace, PROPOSERS, regret, type Account, type Search } from '@autoflow/optimizer';
import type { Scorer } from '@autoflow/learning';
import { kendallTau, uniform } from '@autoflow/twin';
import { mean } from '../statistics.js';
import { saidOf, type Drawn, type Kind } from './pipelines.js';

export const BUDGETS = [1, 8, 32, 128] as const;
const SAMPLE = 400;
const OTHERS = ['annealing', 'greedy', 'random'];

export interface Pipeline {
  readonly kind: Kind;
  readonly family: string;
  readonly plans: number;
  readonly seconds: number;
  readonly regrets: { readonly [ranker: string]: { readonly [budget: string]: number } };
  readonly tau: { readonly [ranker: string]: number };
  readonly microsecondsPerPlan: number;
}

export async function judge(one: Drawn, seed: number, scorers: { readonly [name: string]: Scorer }): Promise<Pipeline> {
  const { kind, family, problem, space, batchings, points, random } = one;
  const evaluator = new Evaluator(problem, Math.max(...batchings.map(({ records }) => records)));
  const begin = performance.now();
  const judged = points.flatMap((point) => {
    const score = evaluator.evaluate(space.plan(point))?.score;
    return score === undefined ? [] : [{ point, score, formula: point.candidate.formula.score(point.memoryMb) }];
  });
  const seconds = (performance.now() - begin) / 1000;
  const best = judged.reduce((least, { score }) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const sample = Array.from({ length: SAMPLE }, () => Math.floor(random() * judged.length));
  const orders: Record<string, readonly number[]> = { analytic: judged.map(({ formula }) => formula) };
  let spent = 0;
  for (const [name, scorer] of Object.entries(scorers)) {
    const at = performance.now();
    const said = saidOf(
      scorer,
      one,
      judged.map(({ point }) => point),
    );
    orders[name] = said.map(({ mean }) => -mean);
    spent ||= performance.now() - at;
  }
  const regrets: Record<string, Record<string, number>> = {};
  const tau: Record<string, number> = {};
  for (const [name, order] of Object.entries(orders)) {
    const top = judged.map((_, i) => i).sort((a, b) => order[a]! - order[b]!);
    regrets[name] = Object.fromEntries(BUDGETS.map((k) => [k, regret(Math.min(...top.slice(0, k).map((i) => judged[i]!.score)), best)]));
    tau[name] = kendallTau(
      sample.map((i) => order[i]!),
      sample.map((i) => judged[i]!.score),
    );
  }
  for (const proposer of PROPOSERS.filter(({ name }) => OTHERS.includes(name))) {
    const own: Record<string, number> = (regrets[proposer.name] = {});
    for (const k of BUDGETS) {
      const account: Account = evaluator.account({ evaluations: k, ms: 60_000 });
      const search: Search = { problem, space: new PlanSpace(problem), account, random: uniform(seed + k) };
      own[k] = regret((await proposer.propose(search)).ranked[0]?.score ?? Number.POSITIVE_INFINITY, best);
    }
  }
  return { kind, family, plans: judged.length, seconds, regrets, tau, microsecondsPerPlan: (1000 * spent) / judged.length };
}

export function tableOf(pipelines: readonly Pipeline[]) {
  return [...new Set(pipelines.map(({ kind }) => kind))].flatMap((kind) => {
    const own = pipelines.filter((one) => one.kind === kind);
    return Object.keys(own[0]!.regrets).map((ranker) => ({
      kind,
      ranker,
      meanRegret: Object.fromEntries(BUDGETS.map((k) => [k, mean(own.map(({ regrets }) => regrets[ranker]![k]!))])) as {
        readonly [k: string]: number;
      },
      tau: own[0]!.tau[ranker] === undefined ? undefined : mean(own.map(({ tau }) => tau[ranker]!)),
    }));
  });
}
