import { applyStep } from '@autoflow/topology/rewrites';
import { functionModel } from '@autoflow/twin';
import { expect, it } from 'vitest';
import type { Problem } from '../problem.js';
import { pipelineOf, problemOf } from '../testing/problems.js';
import { certified } from '../winner.js';
import { envelopeOf } from './formula.js';
import { PlanSpace } from './plan-space.js';

it('a stage that keeps its name keeps the bounds that it had, the least instances too', () => {
  const problem = problemOf(pipelineOf(2));
  const bounds = { memoryMb: [1024], concurrency: { min: 3, max: 9 } };
  const kept: Problem = { ...problem, start: { ...problem.start, envelope: { f0: bounds, f1: bounds } } };
  const { start } = new PlanSpace(kept);
  expect(envelopeOf(kept, start.topology).f0).toEqual(bounds);
  expect(start.formula.allocation([1024, 1024]).f0).toEqual({ memoryMb: 1024, concurrency: 3 });
  expect(new PlanSpace(problem).start.formula.allocation([1024, 1024]).f0!.concurrency).toBeLessThan(3);
});

it('what has room without the instance only is not certified', () => {
  const heavy = (memoryMb: number): Problem => {
    const models = { f0: functionModel({ memoryMb }), f1: functionModel({ memoryMb }) };
    return problemOf(pipelineOf(2), { models, limits: { memoryMb: [3072], instances: 4 } });
  };
  const step = { rewrite: 'fuse' as const, first: 'f0', second: 'f1' };
  const fused = (problem: Problem) =>
    certified(problem, { topology: applyStep(problem.start.topology, step), allocation: {}, steps: [step] });
  expect(fused(heavy(1430))).toBeDefined();
  expect(fused(heavy(1457))).toBeUndefined();
});
