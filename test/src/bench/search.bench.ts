/** Search in the twin: the whole space of a chain by formula and by twin, and how far each proposer stays from the exact optimum. */
import { ChainSpace, Evaluator, Pacer, PlanSpace, PROPOSERS, regret, type Batching, type Problem, type Search } from '@autoflow/optimizer';
import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { asWritten, defaultAllocation, defaultEnvelope, MEMORY_SIZES_MB } from '@autoflow/topology';
import { functionModel, LOCAL_HOST, uniform, type HostModel } from '@autoflow/twin';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

const FUNCTIONS = 5;
const RATE = 20;
const BUDGETS = [8, 32, 128];
const HOST: HostModel = {
  ...LOCAL_HOST,
  cores: 16,
  cpuFollowsMemory: true,
  temporal: { ...LOCAL_HOST.temporal, onHost: false, servers: 8 },
};
const WIDE: readonly Batching[] = [1, 2, 5, 10, 20, 50, 100].map(batching);
/** By twin: three memory sizes and four batchings, 3,072 plans. */
const NARROW: readonly Batching[] = [1, 5, 10, 20].map(batching);
const NARROW_MB = [512, 1024, 1769];

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const ranked = await rankByFormula();
  progress(`${ranked.plans} plans by formula in ${ranked.seconds.toFixed(2)} s`);
  const chains: Chain[] = [];
  for (let seed = 1; seed <= (quick ? 5 : 20); seed++) {
    const chain = await oneChain(seed);
    chains.push(chain);
    progress(`chain ${seed}: optimum of ${chain.plans} plans by twin in ${chain.seconds.toFixed(1)} s`);
  }
  const table = Object.entries(chains[0]!.regrets).map(([proposer, byBudget]) => ({
    proposer,
    meanRegret: Object.fromEntries(Object.keys(byBudget).map((k) => [k, mean(chains.map(({ regrets }) => regrets[proposer]![k]!))])),
  }));
  for (const { proposer, meanRegret } of table)
    progress(
      `${proposer.padEnd(11)} ${Object.entries(meanRegret)
        .map(([k, share]) => `K=${k} ${(100 * share).toFixed(2)} %`)
        .join('  ')}`,
    );
  return {
    bars: [
      { name: '100,000 plans by formula', figure: (ranked.seconds / ranked.plans) * 100_000, unit: 's', bar: 3, must: '<=' },
      {
        name: `exact optimum by twin of a chain of ${FUNCTIONS} (${chains[0]!.plans} plans, one core), slowest`,
        figure: Math.max(...chains.map(({ seconds }) => seconds)),
        unit: 's',
        bar: 300,
        must: '<=',
      },
    ],
    figures: { ranked, table, chains },
    notMeasured: [
      'the optimum by twin of the wide space (100,842 plans): the space by twin has three memory sizes and four batchings',
      'the learned scorer, which is no part of this',
      'how right the twin is: see the benchmark of it',
    ],
  };
}

async function rankByFormula(): Promise<{ readonly plans: number; readonly seconds: number }> {
  const space = new PlanSpace(problemOf(1, MEMORY_SIZES_MB, WIDE));
  const begin = performance.now();
  const chain = enumerated(await ChainSpace.of(space, new Pacer()));
  await chain.scores(new Pacer());
  return { plans: chain.plans, seconds: (performance.now() - begin) / 1000 };
}

type Regrets = { readonly [proposer: string]: { readonly [budget: string]: number } };

interface Chain {
  readonly plans: number;
  readonly seconds: number;
  readonly regrets: Regrets;
}

async function oneChain(seed: number): Promise<Chain> {
  const problem = problemOf(seed, NARROW_MB, NARROW);
  const evaluator = new Evaluator(problem, Math.max(...NARROW.map(({ records }) => records)));
  const search = (evaluations: number, stream: number): Search => ({
    problem,
    space: new PlanSpace(problem),
    account: evaluator.account({ evaluations, ms: 600_000 }),
    random: uniform(1000 * seed + stream),
  });
  const [exhaustive, ...others] = PROPOSERS;
  const begin = performance.now();
  const truth = await exhaustive!.propose(search(100_000, 0));
  const seconds = (performance.now() - begin) / 1000;
  if (truth.exact?.by !== 'twin') throw new Error('the space was not enumerated by twin');
  const best = truth.ranked[0]!.score;
  const regrets: Record<string, Record<string, number>> = {};
  for (const [i, proposer] of others.entries()) {
    const own: Record<string, number> = (regrets[proposer.name] = {});
    for (const budget of BUDGETS) own[budget] = regret((await proposer.propose(search(budget, i + 1))).ranked[0]!.score, best);
  }
  return { plans: truth.exact.plans, seconds, regrets };
}

function problemOf(seed: number, memoryMb: readonly number[], batchings: readonly Batching[]): Problem {
  const random = uniform(seed);
  const models = Object.fromEntries(
    spec.nodes.map(({ id }) => [
      id,
      functionModel({
        cpuFixedMs: 1 + 5 * random(),
        cpuPerRecordMs: 0.5 + 5 * random(),
        ioFixedMs: random() < 0.4 ? 20 * random() : 0,
        ioPerRecordMs: random() < 0.4 ? 4 * random() : 0,
        memoryMb: 40 * random(),
        memoryPerRecordMb: 0.3,
        cv: 0.2 + 0.4 * random(),
        bytes: 400 * random(),
      }),
    ]),
  );
  const topology = asWritten(spec);
  return {
    spec,
    start: { topology, allocation: defaultAllocation(spec, topology, defaultEnvelope(spec, topology)) },
    models,
    host: HOST,
    recordBytes: 2000,
    ratePerSecond: RATE,
    objective: { minimise: 'cost', p95Ms: 1000 },
    limits: { memoryMb, instances: 32 },
    // All proposers search the space that the optimum is of.
    space: { rewrites: ['fuse', 'split'], batchings },
    seed,
  };
}

/** The least linger of the ladder in which so many records come. */
function batching(records: number): Batching {
  return { records, lingerMs: [0, 50, 100, 200, 500, 1000, 2000, 5000].find((rung) => rung >= ((records - 1) / RATE) * 1000)! };
}

function enumerated(chain: Awaited<ReturnType<typeof ChainSpace.of>>): ChainSpace {
  if ('reason' in chain) throw new Error(chain.reason);
  return chain;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const spec: PipelineSpec = {
  name: 'chain',
  key: 'key',
  input: ['key'],
  output: ['key'],
  nodes: Array.from({ length: FUNCTIONS }, (_, i): NodeSpec => ({
    id: `f${i}`,
    name: `f${i}`,
    kind: 'function',
    effect: 'pure',
    inputs: i === 0 ? [] : [`f${i - 1}`],
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 1000,
    retry: { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 },
  })),
  resources: [],
  schemas: { input: {}, output: {} },
};
