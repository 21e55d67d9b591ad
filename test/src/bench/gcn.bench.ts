/** The learned topology scorer on families that it has never seen: regret against the exact optimum by twin, beside every other ranker. */
import {
  Evaluator,
  PlanSpace,
  PROPOSERS,
  regret,
  type Account,
  type Batching,
  type Candidate,
  type Point,
  type Problem,
  type Search,
} from '@autoflow/optimizer';
import {
  calibrationError,
  chainShape,
  drawDag,
  familyOf,
  leadOf,
  loadBackend,
  loadOf,
  planFeatures,
  PRETRAINED,
  randomProblem,
  readModel,
  Scorer,
  trainInChild,
  utility,
  type GcnModel,
  type Judged,
  type PlanFeatures,
  type Shape,
  type Utility,
} from '@autoflow/learning';
import { kendallTau, uniform } from '@autoflow/twin';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

const BUDGETS = [1, 8, 32, 128] as const;
/** Nothing of these seeds was learned from. */
const FIRST_SEED = 900_000_000;
/** More plans of one pipeline are not all simulated: another pipeline is drawn. */
const MOST_PLANS = 6000;
const SAMPLE = 400;
const OTHERS = ['annealing', 'greedy', 'random'];

type Kind = 'chain-5' | 'chain-6' | 'joins';
interface Pipeline {
  readonly kind: Kind;
  readonly family: string;
  readonly plans: number;
  readonly seconds: number;
  readonly regrets: { readonly [ranker: string]: { readonly [budget: string]: number } };
  readonly tau: { readonly [ranker: string]: number };
  readonly pairs: readonly Judged[];
  readonly microsecondsPerPlan: number;
}

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-gcn-'));
  const data = process.env['AUTOFLOW_DATA'];
  if (data === undefined) progress('without AUTOFLOW_DATA: no published workflows among what is learned from');
  const train = async (
    graph: boolean,
  ): Promise<{ readonly model: GcnModel; readonly figures: { readonly [figure: string]: number | string } }> => {
    const out = join(folder, `${graph ? 'graph' : 'no-graph'}.json`);
    const figures = await trainInChild({
      out,
      seed: 1,
      quick: true,
      graph,
      ...(data !== undefined && { data }),
      progress: (line) => progress(`${graph ? '' : 'without graph: '}${line}`),
    });
    return { model: await readModel(out), figures };
  };
  const learned = await train(true);
  const alone = await train(false);
  await rm(folder, { recursive: true });
  const backend = await loadBackend('native', progress);
  const rankers = {
    gcn: new Scorer(backend, learned.model),
    'gcn without graph': new Scorer(backend, alone.model),
  };
  const pretrained = await readModel(PRETRAINED).catch(() => undefined);
  const scorers: { readonly [name: string]: Scorer } = {
    ...rankers,
    ...(pretrained && { 'gcn pretrained': new Scorer(backend, pretrained) }),
  };
  const pipelines: Pipeline[] = [];
  for (const kind of ['chain-5', 'chain-6', 'joins'] as const)
    for (let seed = FIRST_SEED, done = 0; done < (quick ? 4 : 12); seed++) {
      const one = await judge(kind, seed, scorers);
      if (one === undefined) continue;
      done++;
      pipelines.push(one);
      progress(
        `${kind} ${done}: ${one.family}, ${one.plans} plans by twin in ${one.seconds.toFixed(1)} s, tau ${one.tau['gcn']!.toFixed(3)}`,
      );
    }
  const table = tableOf(pipelines);
  for (const { kind, ranker, meanRegret, tau } of table)
    progress(
      `${kind.padEnd(8)} ${ranker.padEnd(18)} ${Object.entries(meanRegret)
        .map(([k, share]) => `K=${k} ${(100 * share).toFixed(2)} %`)
        .join('  ')}${tau === undefined ? '' : `  tau ${tau.toFixed(3)}`}`,
    );
  const of = (kind: Kind, ranker: string, k: number): number =>
    100 * table.find((row) => row.kind === kind && row.ranker === ranker)!.meanRegret[k]!;
  const taus = (ranker: string): number => mean(pipelines.map(({ tau }) => tau[ranker]!));
  const leads = (['chain-5', 'chain-6', 'joins'] as const).flatMap((kind) =>
    [8, 32, 128].map((k) => of(kind, 'gcn', k) - of(kind, 'analytic', k)),
  );
  return {
    bars: [
      ...(['chain-5', 'chain-6'] as const).flatMap((kind) => [
        { name: `${kind}: regret at K=8`, figure: of(kind, 'gcn', 8), unit: '%', bar: 2, must: '<=' as const },
        { name: `${kind}: regret at K=32`, figure: of(kind, 'gcn', 32), unit: '%', bar: 1, must: '<=' as const },
      ]),
      { name: 'DAGs with joins: regret at K=32', figure: of('joins', 'gcn', 32), unit: '%', bar: 3, must: '<=' },
      { name: 'Kendall tau with the twin', figure: taus('gcn'), unit: '', bar: 0.85, must: '>=' },
      { name: 'expected calibration error of S', figure: calibration(pipelines, learned.model), unit: '', bar: 0.05, must: '<=' },
      { name: 'regret beyond the formula at equal K >= 8, worst', figure: Math.max(...leads), unit: 'points', bar: 0, must: '<=' },
      {
        name: 'DAGs with joins: tau with the graph less without it',
        figure: mean(pipelines.filter(({ kind }) => kind === 'joins').map(({ tau }) => tau['gcn']! - tau['gcn without graph']!)),
        unit: '',
        bar: 0,
        must: '>=',
      },
      {
        name: 'DAGs with joins: regret at K=8 with the graph less without it',
        figure: of('joins', 'gcn', 8) - of('joins', 'gcn without graph', 8),
        unit: 'points',
        bar: 0,
        must: '<=',
      },
      { name: 'labels and training, quick setting, CPU', figure: Number(learned.figures['cpuSeconds']), unit: 's', bar: 90, must: '<=' },
    ],
    figures: {
      table,
      training: { graph: learned.figures, withoutGraph: alone.figures },
      tau: Object.fromEntries([...Object.keys(scorers), 'analytic'].map((ranker) => [ranker, taus(ranker)])),
      microsecondsPerPlan: mean(pipelines.map((one) => one.microsecondsPerPlan)),
      pipelines: pipelines.map(({ pairs: _, ...one }) => one),
    },
    notMeasured: [
      'plans measured on the real stack: labels and truth are those of the twin',
      'DAGs of published workflows and profiles',
      'the noise of one training seed: both networks were trained once',
    ],
  };
}

/** Undefined where the space is too large, or hardly a choice. */
async function judge(kind: Kind, seed: number, scorers: { readonly [name: string]: Scorer }): Promise<Pipeline | undefined> {
  const random = uniform(seed);
  const shape: Shape = kind === 'joins' ? drawDag('test', 4 + Math.floor(2 * random()), random) : chainShape(kind === 'chain-5' ? 5 : 6);
  const drawn = randomProblem(shape, seed);
  // The widest batches that the promise leaves time for.
  const batchings = [1, kind === 'chain-6' ? 8 : 4, 16]
    .map((records) => batching(records, drawn))
    .filter(({ lingerMs }) => lingerMs <= drawn.objective.p95Ms! / 2);
  const memoryMb = kind === 'chain-6' ? [512, 1769] : drawn.limits.memoryMb;
  const problem: Problem = {
    ...drawn,
    limits: { ...drawn.limits, memoryMb },
    space: { rewrites: ['fuse', 'split', 'parallelise', 'serialise'], batchings },
  };
  const space = new PlanSpace(problem);
  const points = everyPoint(space);
  if (points === undefined || points.length < 200) return undefined;
  const evaluator = new Evaluator(problem, Math.max(...batchings.map(({ records }) => records)));
  const begin = performance.now();
  const judged = points.flatMap((point) => {
    const plan = space.plan(point);
    const score = evaluator.evaluate(plan)?.score;
    return score === undefined ? [] : [{ point, plan, score, formula: point.candidate.formula.score(point.memoryMb) }];
  });
  const seconds = (performance.now() - begin) / 1000;
  const best = judged.reduce((least, { score }) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const load = loadOf(problem);
  const sample = Array.from({ length: SAMPLE }, () => Math.floor(random() * judged.length));
  const orders: Record<string, readonly number[]> = { analytic: judged.map(({ formula }) => formula) };
  const said: Record<string, readonly Utility[]> = {};
  let spent = 0;
  for (const [name, scorer] of Object.entries(scorers)) {
    const at = performance.now();
    const features: PlanFeatures[] = judged.map(({ point, plan }) => planFeatures(point.candidate.formula.plan, plan.allocation, load));
    const heads = scorer.heads(features);
    const utilities = judged.map((_, i) =>
      utility(problem.objective, load.ratePerSecond, 1, heads.subarray(3 * i, 3 * i + 3), scorer.model.calibration.spread),
    );
    said[name] = utilities;
    orders[name] = utilities.map(({ mean }) => -mean);
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
  const pairs = sample.slice(1).flatMap((i, at): Judged[] => {
    const j = sample[at]!;
    return i === j ? [] : [{ lead: leadOf(said['gcn']![i]!, said['gcn']![j]!), better: judged[i]!.score < judged[j]!.score }];
  });
  return {
    kind,
    family: familyOf(shape),
    plans: judged.length,
    seconds,
    regrets,
    tau,
    pairs,
    microsecondsPerPlan: (1000 * spent) / judged.length,
  };
}

/** Every topology that legal steps reach, with every memory that fits; undefined when they are too many. */
function everyPoint(space: PlanSpace): Point[] | undefined {
  const found = new Map<string, Candidate>();
  const queue = [space.start];
  const random = uniform(1);
  let plans = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next.hash)) continue;
    found.set(next.hash, next);
    // Counted before all are looked for: to reach the topologies of a wide graph takes minutes.
    plans += next.formula.sizes.reduce((product, sizes) => product * sizes.length, 1);
    if (plans > MOST_PLANS) return undefined;
    queue.push(...space.neighbours(next, random, 1000));
  }
  const points: Point[] = [];
  for (const candidate of found.values()) {
    let memories: number[][] = [[]];
    for (const sizes of candidate.formula.sizes) memories = memories.flatMap((before) => sizes.map((size) => [...before, size]));
    for (const memoryMb of memories) if (Number.isFinite(candidate.formula.score(memoryMb))) points.push({ candidate, memoryMb });
  }
  return points;
}

function batching(records: number, { ratePerSecond }: Problem): Batching {
  return {
    records,
    lingerMs: [0, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((rung) => rung >= ((records - 1) / ratePerSecond) * 1000) ?? 5000,
  };
}

function tableOf(pipelines: readonly Pipeline[]) {
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

function calibration(pipelines: readonly Pipeline[], { calibration: { temperature } }: GcnModel): number {
  return calibrationError(
    pipelines.flatMap(({ pairs }) => pairs),
    temperature,
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
