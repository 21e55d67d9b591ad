import type { Proposer } from '../proposer.js';
import { ChainSpace } from '../space/chain.js';
import { everyPlan } from './analytic.js';
import { startPoint } from './moves.js';

/**
 * The exact optimum of a chain: by twin where the budget is enough for every plan, else by formula, and none where the time is not enough for that. Where
 * it cannot enumerate it looks at what runs only.
 */
export const exhaustive: Proposer = {
  name: 'exhaustive',
  async propose(search) {
    const { space, account } = search;
    await account.twin(space.plan(startPoint(space)));
    const chain = await ChainSpace.of(space, account.pacer);
    if ('reason' in chain) return { ranked: account.ranked, note: `not enumerated: ${chain.reason}` };
    if (chain.plans > account.left) return everyPlan(search, chain);
    for (let plan = 0; plan < chain.plans && !account.exhausted; plan++) {
      const point = chain.point(plan);
      if (Number.isFinite(point.candidate.formula.score(point.memoryMb))) await account.twin(space.plan(point));
    }
    return { ranked: account.ranked, ...(!account.pacer.over && { exact: { plans: chain.plans, by: 'twin' as const } }) };
  },
};
