import { PlanSpace, randomPoint, type MeasuredHistory, type MeasuredStretch } from '@autoflow/optimizer';
import { uniform } from '@autoflow/twin';
import { beforeAll, expect, it } from 'vitest';
import { loadBackend, type TensorBackend } from '../../backend.js';
import { labelled } from '../labels.js';
import { parseModel, PRETRAINED, readModel, type GcnModel } from '../model-file.js';
import { chainShape, randomProblem } from '../random-problems.js';
import { measuredGroups, MEASURED_WEIGHT } from './measured-groups.js';
import { retrain } from './retrain.js';

const SMALL = { synthetic: { pipelines: 16, plans: 8 }, epochs: 16, seed: 1 };
let backend: TensorBackend;
let base: GcnModel;
beforeAll(async () => {
  backend = await loadBackend('native', () => undefined);
  base = await readModel(PRETRAINED);
});

const problem = randomProblem(chainShape(4), 5);
/** What runs costs half as much again as the twin says, and is later: that is to be learned. */
const REALITY = { cost: 1.5, p95: 1.8 };

/** Versions of one pipeline, each in several stretches of about one load. */
function historyOf(versions: number, changed: (one: MeasuredStretch, i: number) => MeasuredStretch = (one) => one): MeasuredHistory {
  const space = new PlanSpace(problem);
  const random = uniform(3);
  const { spec, models, host, recordBytes, ratePerSecond } = problem;
  const stretches: MeasuredStretch[] = [];
  for (let v = 1; stretches.length < 3 * versions; v++) {
    const { topology, allocation } = space.plan(randomPoint(space, random)!);
    const [first] = labelled({ ...problem, start: { topology, allocation } }, 'measured', 1).plans;
    if (first === undefined) continue;
    for (let i = 0; i < 3; i++)
      stretches.push({
        version: `v${v}`,
        topology,
        allocation,
        ratePerSecond: ratePerSecond * (1 + 0.05 * i),
        costPer1000: REALITY.cost * Math.exp(first.labels[0]!),
        p95Ms: REALITY.p95 * Math.exp(first.labels[1]!),
        throughput: ratePerSecond * (1 + 0.05 * i),
      });
  }
  return { spec, models, host, recordBytes, stretches: stretches.map(changed) };
}

it('is nearer to what was measured, on versions that it has not seen, and is kept with what it was made from', () => {
  const result = retrain(historyOf(8), backend, { base, ...SMALL });
  if ('refused' in result) throw new Error(result.reason);
  const { heldOut, learnedFrom, better, model, dataHash, metrics } = result;
  expect(heldOut.versions).toHaveLength(2);
  expect(learnedFrom).toHaveLength(6);
  expect(learnedFrom).not.toEqual(expect.arrayContaining([heldOut.versions[0]]));
  expect(heldOut.retrained.cost).toBeLessThan(0.9 * heldOut.current.cost);
  expect(heldOut.retrained.all).toBeLessThan(0.9 * heldOut.current.all);
  expect(better).toBe(true);
  expect(parseModel(model)).toMatchObject({ seed: 1, dataHash, calibration: { offset: expect.any(Array) } });
  // Of two of the six it has learned how sure it is: they were not trained on.
  expect(metrics).toMatchObject({ measuredPlans: 12, measuredWeight: MEASURED_WEIGHT, validationTau: expect.any(Number) });
});

it('is not taken for better where the versions that it learned from tell nothing of those that it is judged on', () => {
  const newest = Math.max(...historyOf(8).stretches.map(({ version }) => Number(version.slice(1))));
  const misled = historyOf(8, (one) =>
    Number(one.version.slice(1)) > newest - 2 ? { ...one, costPer1000: one.costPer1000 / 3, p95Ms: one.p95Ms / 3 } : one,
  );
  const result = retrain(misled, backend, { base, ...SMALL });
  expect(result).toMatchObject({ better: false });
});

it('gives the same model for the same history and seed, and no figures of a validation where it could spare no version for it', () => {
  const once = () => retrain(historyOf(5), backend, { base, ...SMALL, epochs: 1 });
  const result = once();
  expect(result).toEqual(once());
  if ('refused' in result) throw new Error(result.reason);
  expect(result.heldOut.versions).toHaveLength(2);
  expect(Object.keys(result.metrics).filter((name) => name.startsWith('validation'))).toEqual([]);
  expect(parseModel(result.model).metrics).toEqual(result.metrics);
});

it('is judged on versions that the one before has not learned from either, and refuses where there are no two', () => {
  const history = historyOf(5);
  const names = [...new Set(history.stretches.map(({ version }) => version))];
  const after = (learnedFrom: readonly string[]) => retrain(history, backend, { base, learnedFrom, ...SMALL, epochs: 1 });
  const newest = after(names.slice(2));
  expect(newest).toMatchObject({ heldOut: { versions: names.slice(0, 2) }, learnedFrom: names.slice(2) });
  expect(after(['v0', ...names.slice(0, 3)])).toMatchObject({ learnedFrom: ['v0', ...names.slice(0, 3)] });
  // Nor is it calibrated on them: here no other is left to be spared.
  const eight = historyOf(8);
  const seen = [...new Set(eight.stretches.map(({ version }) => version))].slice(0, 6);
  const last = retrain(eight, backend, { base, learnedFrom: seen, ...SMALL, epochs: 1 });
  expect(last).toMatchObject({ learnedFrom: seen, metrics: { measuredPlans: 18 } });
  expect(last).not.toHaveProperty('metrics.validationTau');
  expect(after(names.slice(1))).toMatchObject({ refused: 'TOO_FEW_VERSIONS', reason: expect.stringContaining(`Only ${names[0]} is`) });
});

it('refuses too few versions, and what contradicts itself', () => {
  expect(retrain(historyOf(4), backend, { base, ...SMALL })).toMatchObject({
    refused: 'TOO_FEW_VERSIONS',
    reason: expect.stringContaining('4 versions'),
  });
  const torn = historyOf(5, (one, i) => (one.version === 'v1' ? { ...one, costPer1000: one.costPer1000 * 30 ** (i % 3) } : one));
  expect(
    retrain({ ...torn, stretches: torn.stretches.filter(({ version }) => version !== 'v2') }, backend, { base, ...SMALL }),
  ).toMatchObject({
    refused: 'CONTRADICTORY',
    reason: expect.stringContaining('v1'),
  });
});

it('leaves out what is no number, what costs nothing and what cannot be run', () => {
  const bad: Partial<MeasuredStretch>[] = [
    { costPer1000: Number.NaN },
    { p95Ms: 0 },
    { throughput: -1 },
    { ratePerSecond: Number.POSITIVE_INFINITY },
    { allocation: {} },
  ];
  const history = historyOf(4);
  const spoilt = [...history.stretches, ...bad.map((change) => ({ ...history.stretches[0]!, ...change }))];
  const found = measuredGroups({ ...history, stretches: spoilt });
  expect(found.leftOut).toBe(bad.length);
  expect(found.groups.flatMap(({ plans }) => plans.map(({ labels }) => labels.every(Number.isFinite)))).toEqual(
    history.stretches.map(() => true),
  );
});
