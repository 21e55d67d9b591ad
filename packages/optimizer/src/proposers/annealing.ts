import type { Proposer } from '../proposer.js';
import { randomNeighbour, startPoint } from './moves.js';

/** Simulated annealing: takes what is worse by d with probability exp(−d / T), T falling geometrically over the budget (Kirkpatrick et al., 1983). */
export const annealing: Proposer = {
  name: 'annealing',
  async propose({ space, account, random }) {
    let here = startPoint(space);
    let score = (await account.twin(space.plan(here)))?.score ?? Number.POSITIVE_INFINITY;
    const { evaluations } = account.budget;
    for (let tries = 0; !account.exhausted && tries < evaluations * 20; tries++) {
      const next = randomNeighbour(space, here, random);
      const found = next && (await account.twin(space.plan(next)));
      const temperature = HOT * (COLD / HOT) ** (account.used.evaluations / evaluations);
      if (next && found && (found.score <= score || random() < Math.exp((score - found.score) / temperature)))
        [here, score] = [next, found.score];
      await account.pacer.breathe();
    }
    return { ranked: account.ranked };
  },
};

/** Of scores, where 0.01 is one per cent. */
const HOT = 0.5;
const COLD = 0.005;
