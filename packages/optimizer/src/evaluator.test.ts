import { poissonArrivals, simulate } from '@autoflow/twin';
import { expect, it } from 'vitest';
import { Evaluator } from './evaluator.js';
import type { Problem } from './problem.js';
import { pipelineOf, problemOf } from './testing/problems.js';
import { replicated } from './winner.js';

function batchesOf(records: number, given: Partial<Problem> = {}): Problem {
  const problem = problemOf(pipelineOf(2), {
    ratePerSecond: 500,
    objective: { minimise: 'cost' },
    limits: { memoryMb: [10_240], instances: 32 },
  });
  const { topology, allocation } = problem.start;
  const large = Object.fromEntries(Object.entries(allocation).map(([stage, one]) => [stage, { ...one, memoryMb: 10_240 }]));
  return {
    ...problem,
    start: { topology: { ...topology, batch: { ...topology.batch, records, bytes: 1e9 }, lingerMs: 60_000 }, allocation: large },
    ...given,
  };
}

it('a window holds several batches, however large they are', () => {
  const problem = batchesOf(5_000);
  const plan = { ...problem.start, steps: [] };
  const evaluator = new Evaluator(problem, 50);
  const arrivals = poissonArrivals(500, 200_000, 9);
  const { costPer1000 } = simulate(evaluator.model(plan), plan.allocation, { arrivals, seed: 9, openExecutions: 'fed' });
  for (const cost of [evaluator.evaluate(plan)!.figures.costPer1000, replicated(problem, evaluator, plan)!.costPer1000.all.mean])
    expect(Math.abs(cost / costPer1000.all - 1)).toBeLessThan(0.25);
});

it('probes that carry more than their share of the records make single records cheaper, in the start as in what is held against it', () => {
  const cost = (given: Partial<Problem>): number => {
    const problem = batchesOf(1, { ratePerSecond: 50, ...given });
    return new Evaluator(problem, 50).evaluate({ ...problem.start, steps: [] })!.figures.costPer1000;
  };
  expect(cost({ probeShare: 0.1 })).toBeLessThan(0.9 * cost({}));
});
