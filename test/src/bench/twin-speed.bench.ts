/** How fast the twin is on one core: events of the simulator, and plans by the analytic formula. */
import {
  AnalyticModel,
  functionModel,
  LOCAL_HOST,
  planModel,
  poissonArrivals,
  simulate,
  type HostModel,
  type PlanModel,
} from '@autoflow/twin';
import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Topology } from '@autoflow/topology';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';

const FUNCTIONS = 5;
const MEMORY_MB = [128, 256, 512, 1024, 1769, 3072];
const BATCHES = [1, 4, 16, 64, 128, 256, 512];
const RATE = 20;
const HOST: HostModel = {
  ...LOCAL_HOST,
  cores: 8,
  cpuFollowsMemory: true,
  temporal: { ...LOCAL_HOST.temporal, onHost: false, activityMs: 4 },
};

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const events = eventsPerSecond(quick ? 3 : 9, quick ? 40_000 : 200_000, progress);
  const ranked = rankAll(quick ? 1 : 5, progress);
  return {
    bars: [
      { name: 'simulated events on one core', figure: median(events), unit: 'per second', bar: 1e6, must: '>=' },
      { name: '100,000 plans by formula', figure: (median(ranked.seconds) / ranked.plans) * 100_000, unit: 's', bar: 3, must: '<=' },
    ],
    figures: { eventsPerSecond: events, analytic: ranked },
    notMeasured: ['how right either is: see `proofs` (queueing theory) and `twin` (the real stack)', 'several cores'],
  };
}

/** A chain with every part of the model at work: batches, linger, noise, a filter, retries, Temporal, shared cores. */
function eventsPerSecond(repetitions: number, records: number, progress: BenchOptions['progress']): number[] {
  const plan = chain(0b1111, 4);
  const allocation = allocationOf(plan, 1024);
  const arrivals = poissonArrivals(RATE, records, 1);
  return Array.from({ length: repetitions }, (_, seed) => {
    const begin = performance.now();
    const { events } = simulate(plan, allocation, { arrivals, seed });
    const rate = (events / (performance.now() - begin)) * 1000;
    progress(`${events} events, ${(rate / 1e6).toFixed(2)} million per second`);
    return rate;
  });
}

/** The whole space of a chain of five functions: cuts × batch sizes × memory of each stage. */
function rankAll(repetitions: number, progress: BenchOptions['progress']): { readonly plans: number; readonly seconds: number[] } {
  let plans = 0;
  const seconds = Array.from({ length: repetitions }, () => {
    const begin = performance.now();
    plans = 0;
    let best = Number.POSITIVE_INFINITY;
    for (let cuts = 0; cuts < 1 << (FUNCTIONS - 1); cuts++)
      for (const batch of BATCHES) {
        const plan = chain(cuts, batch);
        const model = new AnalyticModel(plan, { ratePerSecond: RATE });
        const memory = new Float64Array(plan.stages.length);
        for (let choice = 0; choice < MEMORY_MB.length ** memory.length; choice++) {
          for (let s = 0, rest = choice; s < memory.length; s++, rest = Math.floor(rest / MEMORY_MB.length))
            memory[s] = MEMORY_MB[rest % MEMORY_MB.length]!;
          best = Math.min(best, model.evaluate(memory)?.[0] ?? best);
          plans++;
        }
      }
    const took = (performance.now() - begin) / 1000;
    progress(`${plans} plans ranked in ${took.toFixed(2)} s`);
    return took;
  });
  return { plans, seconds };
}

const names = Array.from({ length: FUNCTIONS }, (_, i) => `f${i}`);
const spec: PipelineSpec = {
  name: 'chain',
  key: 'key',
  input: ['key'],
  output: ['key'],
  nodes: names.map((id, i): NodeSpec => ({
    id,
    name: id,
    kind: 'function',
    effect: 'pure',
    inputs: names.slice(Math.max(0, i - 1), i),
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
const models = Object.fromEntries(
  names.map((name, i) => [
    name,
    functionModel({
      cpuFixedMs: 3,
      cpuPerRecordMs: 1 + i,
      ioFixedMs: i === 2 ? 15 : 0,
      ioPerRecordMs: i === 2 ? 4 : 0,
      memoryMb: 20,
      memoryPerRecordMb: 0.1,
      cv: 0.4,
      selectivity: i === 1 ? 0.9 : 1,
      retry: i === 2 ? 0.01 : 0,
      bytes: 500,
    }),
  ]),
);

/** Bit i of `cuts`: a stage ends after function i. */
function chain(cuts: number, records: number): PlanModel {
  const stages: { name: string; nodes: string[]; after: string[]; partitions: number }[] = [];
  names.forEach((name, i) => {
    const last = stages.at(-1);
    if (last === undefined || (cuts >> (i - 1)) & 1)
      stages.push({ name, nodes: [name], after: last === undefined ? [] : [last.name], partitions: 1 });
    else last.nodes.push(name);
  });
  const topology: Topology = { stages, batch: { records, bytes: 8 * 1024 * 1024 }, lingerMs: 200 };
  return planModel({ spec, topology, models, host: HOST, recordBytes: 2000 });
}

function allocationOf({ stages }: PlanModel, memoryMb: number): Allocation {
  return Object.fromEntries(stages.map(({ name }) => [name, { memoryMb, concurrency: 8 }]));
}
