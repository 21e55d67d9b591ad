import { functionModel } from '@autoflow/twin';
import { expect, it } from 'vitest';
import { Evaluator } from '../evaluator.js';
import type { Plan } from '../problem.js';
import { pipelineOf, problemOf } from '../testing/problems.js';
import type { Allocator } from './allocator.js';
import { startingAllocation } from './starting.js';

/** It keeps two instances of each stage busy. */
const model = functionModel({ ioPerRecordMs: 200 });
const problem = problemOf(pipelineOf(2), { ratePerSecond: 10, models: { f0: model, f1: model } });
const { topology, allocation } = problem.start;
const sized = (concurrency: number) =>
  Object.fromEntries(Object.entries(allocation).map(([stage, { memoryMb }]) => [stage, { memoryMb, concurrency }]));
const plan: Plan = { topology, allocation: sized(1), steps: [] };

/** Wants so many instances of each stage; whether it leaves a decision to another is told by its number. */
function wanting(name: string, concurrency: number, leaves: (decision: number) => boolean = () => false): Allocator {
  return {
    name,
    start() {
      let decisions = 0;
      return {
        decide: ({ memoryMb }) => {
          decisions++;
          return [...memoryMb].map((mb) => ({ concurrency, memoryMb: mb }));
        },
        explain: () => '',
        leftTo: () => (leaves(decisions) ? `strange at ${decisions}` : undefined),
      };
    },
  };
}

it('is by the allocator that the twin finds the best', () => {
  const { by, allocation: chosen, standing } = startingAllocation(problem, plan, [wanting('one', 1), wanting('enough', 12)]);
  expect(by).toBe('enough');
  // Two and a half busy under a quarter more load: as many as wait for hardly any, and not the twelve.
  for (const { concurrency } of Object.values(chosen)) {
    expect(concurrency).toBeGreaterThan(2);
    expect(concurrency).toBeLessThan(9);
  }
  expect(standing.map(({ allocator }) => allocator)).toEqual(['formula', 'one', 'enough']);
  expect(standing.every(({ leftTo }) => leftTo === undefined)).toBe(true);
});

it('is called that of a fallback, with the reason, where the allocator has left most of what counts to it', () => {
  const { by, standing } = startingAllocation(problem, plan, [wanting('enough', 12, (decision) => decision > 29)]);
  expect(by).toBe("enough's fallback");
  expect(standing[1]).toMatchObject({ allocator: "enough's fallback", allocation: sized(12), leftTo: 'strange at 40' });
});

it('is its own where it has left to another what does not count, or half of what does', () => {
  for (const leaves of [(decision: number) => decision <= 20, (decision: number) => decision > 30])
    expect(startingAllocation(problem, plan, [wanting('enough', 12, leaves)]).by).toBe('enough');
});

it('has no instances that only stand by, and all those that bursts keep busy', () => {
  const { allocation: steady } = startingAllocation(problem, plan, [wanting('enough', 12)]);
  // Fifty in the first of ten seconds, and then five a second.
  const shape = [
    { durationMs: 1_000, multiple: 5 },
    { durationMs: 9_000, multiple: 5 / 9 },
  ];
  const { allocation: inBursts } = startingAllocation({ ...problem, shape }, plan, [wanting('enough', 12)]);
  for (const stage of Object.keys(steady)) expect(inBursts[stage]!.concurrency).toBeGreaterThan(steady[stage]!.concurrency);
});

it('keeps a limit that it keeps under the load that is expected, though not under more', () => {
  const noisy = functionModel({ ioPerRecordMs: 200, cv: 0.3 });
  const expected = { ...problem, models: { f0: noisy, f1: noisy } };
  const p95Of = (ratePerSecond: number, concurrency: number): number =>
    new Evaluator({ ...expected, ratePerSecond }, 1).evaluate({ ...plan, allocation: sized(concurrency) })!.figures.p95Ms;
  const p95Ms = 1.001 * p95Of(10, 5);
  // One instance less is hardly slower, and under more load nothing is lost with it: the limit is broken there either way.
  expect(p95Of(10, 4)).toBeGreaterThan(p95Ms);
  expect(p95Of(12.5, 5)).toBeGreaterThan(p95Ms);
  expect(p95Of(12.5, 4)).toBeLessThan(1.1 * p95Of(12.5, 5));
  const limited = { ...expected, objective: { minimise: 'cost' as const, p95Ms } };
  expect(startingAllocation(limited, { ...plan, allocation: sized(5) }, []).allocation).toEqual(sized(5));
});
