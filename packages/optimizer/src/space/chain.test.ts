import { defaultEnvelope } from '@autoflow/topology';
import { uniform } from '@autoflow/twin';
import { expect, it } from 'vitest';
import { Evaluator } from '../evaluator.js';
import { gapOf } from '../gap.js';
import { Pacer } from '../pacer.js';
import { analytic, everyPlan } from '../proposers/analytic.js';
import { exhaustive } from '../proposers/exhaustive.js';
import { pipelineOf, problemOf } from '../testing/problems.js';
import { ChainSpace } from './chain.js';
import { PlanSpace } from './plan-space.js';

const problem = problemOf(pipelineOf(5), { limits: { memoryMb: [256, 512, 1024, 1769, 3072, 4096], instances: 32 } });
const space = new PlanSpace(problem);
const evaluator = new Evaluator(problem, 50);
const search = (ms: number) => ({ problem, space, account: evaluator.account({ evaluations: 10, ms }), random: uniform(1) });
/** Over as soon as a millisecond has passed. */
const NO_TIME = 0.001;

it('an enumeration that the time is not enough for claims no optimum', async () => {
  for (const { propose } of [exhaustive, analytic]) {
    const { exact, note } = await propose(search(NO_TIME));
    expect([exact, note]).toEqual([undefined, expect.stringContaining('the time was not enough for its')]);
  }
  const chain = await ChainSpace.of(space, new Pacer());
  if (!(chain instanceof ChainSpace)) throw new Error(chain.reason);
  const { scores, all } = await chain.scores(new Pacer(undefined, { ms: NO_TIME }));
  expect([all, scores.at(-1)]).toEqual([false, Number.POSITIVE_INFINITY]);

  const cut = search(NO_TIME);
  const { exact, note } = await everyPlan(cut, chain);
  expect([exact, note]).toEqual([undefined, `the time was not enough for all ${chain.plans} plans`]);
  const best = evaluator.evaluate({ ...problem.start, steps: [] })!;
  const standing = [{ proposer: 'exhaustive', ...cut.account.used, best, note: note! }];
  expect(gapOf(standing, [best], best)).toMatchObject({ share: 0, bestKnown: {}, reason: note });
});

const batchings = [1, 5].map((records) => ({ records, lingerMs: 100 }));
const chainOf = (functions: number, given: Parameters<typeof problemOf>[1] = {}) =>
  ChainSpace.of(
    new PlanSpace(problemOf(pipelineOf(functions), { space: { rewrites: ['fuse', 'split'], batchings }, ...given })),
    new Pacer(),
  );

it('has every cut at every batching with every memory size: b · m · (1 + m)^(n − 1) plans', async () => {
  expect(await chainOf(4)).toMatchObject({ plans: 2 * 3 * 4 ** 3 });
});

it('says whether plans or topologies are too many', async () => {
  expect(await chainOf(10)).toEqual({ reason: `a chain of 10 functions at 2 batchings has ${2 * 3 * 4 ** 9} plans; 1000000 are the most` });
  expect(await chainOf(15)).toEqual({ reason: 'a chain of 15 functions at 2 batchings has 32768 topologies; 20000 are the most' });
});

it('counts the sizes that envelopes leave to each stage: those that are there now keep theirs, those that are made have all', async () => {
  const narrowed = (functions: number, narrow: (i: number) => boolean) => {
    const { start } = problemOf(pipelineOf(functions));
    const envelope = Object.entries(defaultEnvelope(pipelineOf(functions), start.topology)).filter((_, i) => narrow(i));
    const sizes = Object.fromEntries(envelope.map(([name, { concurrency }]) => [name, { memoryMb: [512], concurrency }]));
    return chainOf(functions, { start: { ...start, envelope: sizes } });
  };
  // Three stages of one size each; two of which one is made of two functions, on either side; one of all three.
  expect(await narrowed(3, () => true)).toMatchObject({ plans: 2 * (1 + 3 + 3 + 3) });
  expect(await narrowed(3, (i) => i === 1)).toMatchObject({ plans: 2 * (9 + 9 + 9 + 3) });
  expect(await narrowed(14, () => true)).toEqual({ reason: expect.stringMatching(/ has \d{7} plans; 1000000 are the most$/) });
});
