import type { Problem } from '@autoflow/optimizer';
import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { functionModel, LOCAL_HOST, uniform, type FunctionModel, type HostModel } from '@autoflow/twin';

/** A pipeline's shape as written: the functions that each one is called on, by index, each before it. */
export type Shape = readonly (readonly number[])[];

/** What the split goes by: pipelines of one shape are all learned from, or all judged on. */
export function familyOf(shape: Shape): string {
  const isChain = shape.every((inputs, i) => (i === 0 ? inputs.length === 0 : inputs.length === 1 && inputs[0] === i - 1));
  return isChain ? `chain-${shape.length}` : `dag-${shape.map((inputs) => inputs.join('+')).join('/')}`;
}

export const chainShape = (functions: number): Shape => Array.from({ length: functions }, (_, i) => (i === 0 ? [] : [i - 1]));

/** One source, branches, and joins that bring all of them together again in the last function. */
export function randomDagShape(functions: number, random: () => number): Shape {
  const inputs: number[][] = [[]];
  for (let i = 1; i < functions - 1; i++) {
    const first = Math.floor(random() * i);
    const second = Math.floor(random() * i);
    inputs.push(random() < JOINS && second !== first ? [Math.min(first, second), Math.max(first, second)] : [first]);
  }
  const loose = inputs.flatMap((_, i) => (inputs.some((of) => of.includes(i)) ? [] : [i]));
  return [...inputs, loose.length > 0 ? loose : [functions - 2]];
}
const JOINS = 0.25;

/** Functions, load, host and promise at random, deterministic by seed; what they cost differs by more than a factor of ten. */
export function randomProblem(shape: Shape, seed: number, given: Partial<Problem> = {}): Problem {
  const random = uniform(seed);
  const models = shape.map((inputs, i) => randomModel(random, i > 0 && inputs.length === 1));
  return problemFrom(shape, models, random, seed, given);
}

/** The same for functions that are given: from a published trace or profile. */
export function problemFrom(
  shape: Shape,
  models: readonly FunctionModel[],
  random: () => number,
  seed: number,
  given: Partial<Problem> = {},
): Problem {
  const spec = specOf(
    shape,
    models.map(({ selectivity }) => selectivity < 1),
  );
  const topology = asWritten(spec);
  const cloud = random() < 0.75;
  const host: HostModel = cloud
    ? {
        ...LOCAL_HOST,
        cores: 8 + Math.floor(9 * random()),
        cpuFollowsMemory: true,
        temporal: { ...LOCAL_HOST.temporal, onHost: false, servers: 4 + Math.floor(8 * random()) },
      }
    : { ...LOCAL_HOST, cores: 2 + Math.floor(7 * random()), temporal: { ...LOCAL_HOST.temporal, servers: 1 + Math.floor(2 * random()) } };
  // One by one, and unhurried: what a record needs at least.
  const alone = models.reduce((ms, one) => ms + 2 * (one.cpuFixedMs + one.cpuPerRecordMs) + one.ioFixedMs + one.ioPerRecordMs + 12, 0);
  const cpu = models.reduce((ms, one) => ms + one.cpuPerRecordMs + 0.2 * one.cpuFixedMs, 0);
  // At most 60 % of the cores with batches that spare most of the fixed part.
  const ratePerSecond = Math.min(between(random, 4, 70), (600 * host.cores) / Math.max(1, cpu));
  return {
    spec,
    start: { topology, allocation: defaultAllocation(spec, topology, defaultEnvelope(spec, topology)) },
    models: Object.fromEntries(models.map((model, i) => [`f${i}`, model])),
    host,
    recordBytes: between(random, 300, 8000),
    ratePerSecond,
    objective: { minimise: 'cost', p95Ms: alone * (2 + 4 * random()) + 300 },
    limits: { memoryMb: [512, 1024, 1769], instances: 32 },
    seed,
    ...given,
  };
}

function randomModel(random: () => number, mayFilter: boolean): FunctionModel {
  const io = random() < 0.4;
  return functionModel({
    cpuFixedMs: between(random, 0.5, 10),
    cpuPerRecordMs: between(random, 0.3, 15),
    ioFixedMs: io ? between(random, 3, 50) : 0,
    ioPerRecordMs: io && random() < 0.5 ? between(random, 0.3, 10) : 0,
    memoryMb: between(random, 5, 350),
    memoryPerRecordMb: between(random, 0.02, 0.6),
    cv: 0.15 + 0.5 * random(),
    cvPerRecord: 0.3 * random(),
    bytes: between(random, 20, 5000),
    selectivity: mayFilter && random() < 0.2 ? 0.5 + 0.45 * random() : 1,
  });
}

/** Log-uniform. */
export function between(random: () => number, low: number, high: number): number {
  return low * (high / low) ** random();
}

function specOf(shape: Shape, filters: readonly boolean[]): PipelineSpec {
  const retry = { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 };
  const nodes = shape.map((inputs, i): NodeSpec => {
    const filter = filters[i] === true;
    const reads = inputs.flatMap((j) => (filters[j] === true ? [] : [`v${j}`]));
    return {
      id: `f${i}`,
      name: `f${i}`,
      kind: filter ? 'filter' : 'function',
      effect: 'pure',
      inputs: inputs.map((j) => `f${j}`),
      scope: [],
      reads: reads.length > 0 ? reads : ['key'],
      writes: filter ? [] : [`v${i}`],
      uses: [],
      batched: false,
      timeoutMs: 60_000,
      retry,
    };
  });
  return { name: 'random', key: 'key', input: ['key'], output: ['key'], nodes, resources: [], schemas: { input: {}, output: {} } };
}
