import { expect, it } from 'vitest';
import { Simulator } from '../simulator/simulator.js';
import { controlledPlan } from './controlled-plan.js';

const BATCHES = 4_000;

it('a stage is invoked for a batch as often as is known, by parts with luck of their own; one that is passed by ends nothing', () => {
  const perBatch = [1, 0.5, 0.25, 2.5];
  const plan = controlledPlan(
    perBatch.map((times, s) => ({ name: `s${s}`, after: s === 0 ? [] : [s - 1], serviceMs: 10, cv: 0.5, perBatch: times })),
    0,
  );
  const seen = plan.stages.map(() => new Map<number, number[]>());
  const simulator = new Simulator({
    plan,
    allocation: Object.fromEntries(plan.stages.map(({ name }) => [name, { memoryMb: 512, concurrency: 100 }])),
    arrivals: Float64Array.from({ length: BATCHES }, (_, i) => 20 * i),
    seed: 3,
    observe: ({ stage, execution, durationMs }) => seen[stage]!.set(execution, [...(seen[stage]!.get(execution) ?? []), durationMs]),
  });
  simulator.run(Number.POSITIVE_INFINITY);
  expect(simulator.total.completed).toBe(BATCHES);
  perBatch.forEach((times, s) => expect(Math.abs(simulator.stages.invocations[s]! / BATCHES - times)).toBeLessThan(0.03));
  // Who has passed by one stage passes by a later one that is as seldom reached.
  for (const execution of seen[2]!.keys()) expect(seen[1]!.has(execution)).toBe(true);
  for (const parts of seen[3]!.values()) expect(new Set(parts).size).toBe(parts.length);
  expect(new Set([...seen[3]!.values()].map(({ length }) => length))).toEqual(new Set([2, 3]));
});
