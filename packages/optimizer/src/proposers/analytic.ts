import type { Proposal, Proposer, Search } from '../proposer.js';
import { ChainSpace, least } from '../space/chain.js';
import type { Point } from '../space/plan-space.js';
import { climb } from './beam.js';
import { startPoint } from './moves.js';

const WIDTH = 16;
const MOVES = 16;
const PATIENCE = 3;
/** Of the time; the rest is for the twin. */
const RANKING = 0.5;

/** Ranks by formula alone, every plan where they can be enumerated and else what a wide beam comes by, and asks the twin about the best of them. */
export const analytic: Proposer = {
  name: 'analytic',
  async propose(search) {
    const { space, account } = search;
    await account.twin(space.plan(startPoint(space)));
    const chain = await ChainSpace.of(space, account.pacer);
    const proposal = 'reason' in chain ? await byBeam(search) : await everyPlan(search, chain);
    return 'reason' in chain ? { ...proposal, note: `not enumerated: ${chain.reason}` } : proposal;
  },
};

/** The best of all plans by formula, judged by the twin. Where the time is not enough for all, the best of those that it was enough for. */
export async function everyPlan({ space, account }: Search, chain: ChainSpace): Promise<Proposal> {
  const { scores, all } = await chain.scores(account.pacer);
  for (const plan of least(scores, account.left)) {
    if (account.exhausted) break;
    await account.twin(space.plan(chain.point(plan)));
  }
  const { ranked } = account;
  return all
    ? { ranked, exact: { plans: chain.plans, by: 'formula' } }
    : { ranked, note: `the time was not enough for all ${chain.plans} plans` };
}

async function byBeam(search: Search): Promise<Proposal> {
  const { space, account } = search;
  const levels = climb(search, { width: WIDTH, moves: MOVES });
  const found: { readonly point: Point; readonly score: number }[] = [];
  let [best, stale] = [Number.POSITIVE_INFINITY, 0];
  let from = [space.start];
  while (from.length > 0 && stale < PATIENCE && account.pacer.usedShare < RANKING) {
    const level = await levels.next(from);
    const score = level[0]?.score ?? Number.POSITIVE_INFINITY;
    [best, stale] = score < best ? [score, 0] : [best, stale + 1];
    found.push(...level);
    from = level.map(({ point }) => point.candidate);
  }
  found.sort((a, b) => a.score - b.score);
  for (const { point } of found) {
    if (account.exhausted) break;
    await account.twin(space.plan(point));
  }
  return { ranked: account.ranked };
}
