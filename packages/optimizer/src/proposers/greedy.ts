import type { Proposer } from '../proposer.js';
import { randomNeighbour, randomPoint, startPoint } from './moves.js';

/** Takes every neighbour that is better; after so many that are not, begins anew elsewhere. */
export const greedy: Proposer = {
  name: 'greedy',
  async propose({ space, account, random }) {
    let here = startPoint(space);
    let score = (await account.twin(space.plan(here)))?.score ?? Number.POSITIVE_INFINITY;
    for (let fails = 0, tries = 0; !account.exhausted && tries < account.budget.evaluations * 20; tries++) {
      const restart = fails >= PATIENCE;
      const next = restart ? randomPoint(space, random) : randomNeighbour(space, here, random);
      const found = next && (await account.twin(space.plan(next)));
      if (next && found && (restart || found.score < score)) [here, score, fails] = [next, found.score, 0];
      else fails++;
      await account.pacer.breathe();
    }
    return { ranked: account.ranked };
  },
};

const PATIENCE = 30;
