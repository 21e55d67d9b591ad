import { functionModel, LOCAL_HOST, planModel, type PlanInput, type PlanModel } from '@autoflow/twin';
import { expect, test } from 'vitest';
import { FeatureError } from './feature-error.js';
import { EDGE_FEATURES, featureBatch, GLOBAL_FEATURES, NODE_FEATURES, planFeatures, type PlanFeatures } from './features.js';

const LOAD = { ratePerSecond: 5, sloMs: 5000 };

test('a join has the mean of what comes before it, and each of those has the join after it', () => {
  const batch = featureBatch([featuresOf(diamond()), featuresOf(chain(1))]);
  const row = (of: Float32Array, i: number): number[] => [...of.slice(i * 4, i * 4 + 4)];
  expect(batch.size).toBe(4);
  expect(row(batch.incoming, 3)).toEqual([0, 0.5, 0.5, 0]);
  expect(row(batch.outgoing, 0)).toEqual([0, 0.5, 0.5, 0]);
  expect(row(batch.outgoing, 1)).toEqual([0, 0, 0, 1]);
  const joins = [0, 1, 2, 3].map((i) => batch.incomingEdges[i * EDGE_FEATURES + 1]);
  expect(joins).toEqual([0, 0, 0, 1]);
});

test('padding is 0 in every part', () => {
  const batch = featureBatch([featuresOf(chain(1)), featuresOf(diamond())]);
  expect([...batch.mask]).toEqual([1, 0, 0, 0, 1, 1, 1, 1]);
  expect(batch.nodes.slice(NODE_FEATURES, 4 * NODE_FEATURES).every((value) => value === 0)).toBe(true);
  expect(batch.incoming.slice(0, 16).every((value) => value === 0)).toBe(true);
});

test.each([1, 60])('a chain of %i functions has finite features of the stated shapes', (functions) => {
  const features = featuresOf(chain(functions));
  expect(features.nodes).toHaveLength(functions * NODE_FEATURES);
  expect(features.dependencies).toHaveLength(functions - 1);
  expect(features.global).toHaveLength(GLOBAL_FEATURES);
  expect([...features.nodes, ...features.global, ...features.analytic].every(Number.isFinite)).toBe(true);
});

test('memory is seen', () => {
  expect(featuresOf(chain(3), 512).nodes).not.toEqual(featuresOf(chain(3), 1024).nodes);
});

test('what is not a number is refused, and named', () => {
  const plan = chain(2);
  const broken = { ...plan, stages: plan.stages.map((stage, s) => (s === 1 ? { ...stage, selectivity: Number.NaN } : stage)) };
  expect(() => featuresOf(broken)).toThrow(FeatureError);
  expect(() => featuresOf(broken)).toThrow("stage 'f1' is NaN");
  expect(() => planFeatures(plan, allocationOf(plan, 1024), { ...LOAD, sloMs: Number.NaN })).toThrow(FeatureError);
});

function featuresOf(plan: PlanModel, memoryMb = 1024): PlanFeatures {
  return planFeatures(plan, allocationOf(plan, memoryMb), LOAD);
}

function allocationOf({ stages }: PlanModel, memoryMb: number): Record<string, { memoryMb: number; concurrency: number }> {
  return Object.fromEntries(stages.map(({ name }) => [name, { memoryMb, concurrency: 4 }]));
}

const chain = (functions: number): PlanModel => planOf(Array.from({ length: functions }, (_, i) => (i === 0 ? [] : [i - 1])));
const diamond = (): PlanModel => planOf([[], [0], [0], [1, 2]]);

/** One stage per function, each after those. */
function planOf(after: readonly (readonly number[])[]): PlanModel {
  const names = after.map((_, i) => `f${i}`);
  const nodes = names.map((id): PlanInput['spec']['nodes'][number] => ({
    id,
    name: id,
    kind: 'function',
    effect: 'pure',
    inputs: [],
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 1000,
    retry: { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 },
  }));
  return planModel({
    spec: { name: 'p', key: 'key', input: ['key'], output: ['key'], nodes, resources: [], schemas: { input: {}, output: {} } },
    topology: {
      stages: names.map((name, i) => ({ name, nodes: [name], after: after[i]!.map((j) => `f${j}`), partitions: 1 })),
      batch: { records: 10, bytes: 1024 * 1024 },
      lingerMs: 100,
    },
    models: Object.fromEntries(names.map((name) => [name, functionModel({ cpuFixedMs: 1, cpuPerRecordMs: 2, bytes: 100 })])),
    host: LOCAL_HOST,
    recordBytes: 1000,
  });
}
