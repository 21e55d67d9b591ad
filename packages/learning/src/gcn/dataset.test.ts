import { describe, expect, it } from 'vitest';
import { hashOf } from './dataset.js';
import { labelled, type LabelledGroup, type LabelledPlan } from './labels.js';
import { familyOf, randomProblem } from './random-problems.js';

const DIAMOND = [[], [0], [0], [1, 2]];
const group = labelled(randomProblem(DIAMOND, 5), familyOf(DIAMOND), 3);
const [plan] = group.plans as [LabelledPlan];
const [dependency] = plan.features.dependencies as [LabelledPlan['features']['dependencies'][number]];
const other = (values: Float32Array): Float32Array => values.with(0, values[0]! + 1);
const withPlan = (changed: Partial<LabelledPlan>): LabelledGroup => ({
  ...group,
  plans: [{ ...plan, ...changed }, ...group.plans.slice(1)],
});
const withFeatures = (changed: Partial<LabelledPlan['features']>): LabelledGroup =>
  withPlan({ features: { ...plan.features, ...changed } });
const withDependency = (changed: Partial<typeof dependency>): LabelledGroup =>
  withFeatures({ dependencies: [{ ...dependency, ...changed }, ...plan.features.dependencies.slice(1)] });

describe('the hash of the data', () => {
  it.each<[string, LabelledGroup]>([
    ['family', { ...group, family: 'chain-4' }],
    ['rate of the load', { ...group, load: { ...group.load, ratePerSecond: 1 } }],
    ['promise of the load', { ...group, load: { ...group.load, sloMs: 1 } }],
    ['number of plans', { ...group, plans: group.plans.slice(1) }],
    ['order of plans', { ...group, plans: group.plans.toReversed() }],
    ['label', withPlan({ labels: other(plan.labels) })],
    ['weight', withPlan({ weight: 8 })],
    ['feature of a stage', withFeatures({ nodes: other(plan.features.nodes) })],
    ['feature of the whole', withFeatures({ global: other(plan.features.global) })],
    ['formula', withFeatures({ analytic: other(plan.features.analytic) })],
    ['number of dependencies', withFeatures({ dependencies: plan.features.dependencies.slice(1) })],
    ['end of a dependency', withDependency({ from: dependency.to })],
    ['other end of a dependency', withDependency({ to: dependency.from })],
    ['feature of a dependency', withDependency({ features: dependency.features.with(0, 9) })],
  ])('is another one with another %s', (_, changed) => {
    expect(hashOf([changed], [])).not.toBe(hashOf([group], []));
  });

  it('is another one where a group is calibrated on instead of learned from, and the same for the same', () => {
    expect(hashOf([group], [group])).not.toBe(hashOf([group, group], []));
    expect(hashOf([structuredClone(group)], [])).toBe(hashOf([group], []));
  });
});
