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
