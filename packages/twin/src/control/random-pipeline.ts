import type { NodeSpec } from '@autoflow/pipeline';
import { functionModel, type FunctionModels } from '../model/function-model.js';
import { LOCAL_HOST, type HostModel } from '../model/host-model.js';
import { planModel, type PlanModel } from '../model/plan-model.js';
import type { ControlledPipeline } from './tick.js';

export interface RandomPipeline {
  readonly pipeline: ControlledPipeline;
  readonly plan: PlanModel;
  readonly serviceMs: readonly number[];
  readonly memoryMb: readonly number[];
}

const MEMORY_MB = [256, 512, 1024, 2048] as const;
/** Of the places where a fork could be. */
const FORKS = 0.3;

/** Stages in a row with parallel branches that join again here and there; services and cold starts lognormal, as real functions have them. */
export function randomPipeline(
  random: () => number,
  stages: { readonly least: number; readonly most: number },
  { intervalMs, mostInstances }: { readonly intervalMs: number; readonly mostInstances: number },
): RandomPipeline {
  const count = stages.least + Math.floor(random() * (stages.most - stages.least + 1));
  const after = randomWiring(random, count);
  const serviceMs = after.map(() => clamp(lognormal(random, 350, 0.8), 60, 1800));
  const memoryMb = after.map(() => MEMORY_MB[Math.floor(random() * MEMORY_MB.length)]!);
  const host: HostModel = { ...HOST, coldStartMs: clamp(lognormal(random, 1200, 0.6), 250, 6000) };
  const models: FunctionModels = Object.fromEntries(
    serviceMs.map((ms, s) => [nameOf(s), functionModel({ ioFixedMs: ms, cv: 0.2 + 0.8 * random() })]),
  );
  const plan = planModel({
    spec: {
      name: 'random',
      key: 'key',
      input: ['key'],
      output: ['key'],
      nodes: after.map((before, s) => nodeOf(s, before)),
      resources: [],
      schemas: { input: {}, output: {} },
    },
    topology: {
      stages: after.map((before, s) => ({ name: nameOf(s), nodes: [nameOf(s)], after: before.map(nameOf), partitions: 1 })),
      batch: { records: 1, bytes: 8 * 1024 * 1024 },
      lingerMs: 0,
    },
    models,
    host,
    recordBytes: 0,
  });
  return { plan, serviceMs, memoryMb, pipeline: controlled(plan, serviceMs, memoryMb, { intervalMs, mostInstances }) };
}

function controlled(
  { stages, host }: PlanModel,
  serviceMs: readonly number[],
  memoryMb: readonly number[],
  { intervalMs, mostInstances }: { readonly intervalMs: number; readonly mostInstances: number },
): ControlledPipeline {
  const done: number[] = [];
  for (const [s, { after }] of stages.entries()) done.push(serviceMs[s]! + Math.max(0, ...after.map((before) => done[before]!)));
  return {
    stages: stages.map(({ name, after, followers }, s) => ({
      name,
      after,
      followers,
      concurrency: { min: 1, max: mostInstances },
      memoryMb: [memoryMb[s]!],
    })),
    sloMs: 2.5 * Math.max(...done) + 3000,
    coldStartMs: host.coldStartMs,
    intervalMs,
  };
}

/** After whom each stage comes. A fork is two stages side by side between one before and one after them. */
function randomWiring(random: () => number, count: number): number[][] {
  const after: number[][] = [[]];
  while (after.length < count) {
    const last = after.length - 1;
    if (after.length + 3 <= count && random() < FORKS) after.push([last], [last], [last + 1, last + 2]);
    else after.push([last]);
  }
  return after;
}

/** Cores and Temporal are no bottleneck: what is wanting is instances. */
const HOST: HostModel = {
  ...LOCAL_HOST,
  cores: 1e9,
  invocation: { cpuMs: 0, ioMs: 0 },
  serialisationMsPerKb: 0,
  instanceMb: 0,
  pressure: 0,
  idleMs: Number.POSITIVE_INFINITY,
  provisioning: 'ahead',
  temporal: { servers: 1, activityMs: 2, startMs: 0, settleMs: 0, latencyMs: 10, onHost: false },
};

const nameOf = (s: number): string => `s${s}`;

function nodeOf(s: number, after: readonly number[]): NodeSpec {
  return {
    id: nameOf(s),
    name: nameOf(s),
    kind: 'function',
    effect: 'pure',
    inputs: after.map(nameOf),
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 60_000,
    retry: { maximumAttempts: 1, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 },
  };
}

function lognormal(random: () => number, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));
