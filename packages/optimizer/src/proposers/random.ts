import type { Proposer } from '../proposer.js';
import { randomPoint } from './moves.js';

/** Plans some random steps away from the start: what every other proposer must beat. */
export const random: Proposer = {
  name: 'random',
  async propose({ space, account, random: draw }) {
    for (let idle = 0; !account.exhausted && idle < IDLE;) {
      const before = account.left;
      await account.twin(space.plan(randomPoint(space, draw)));
      idle = account.left < before ? 0 : idle + 1;
    }
    return { ranked: account.ranked };
  },
};

/** So many draws of nothing new: the space is small, and done. */
const IDLE = 200;
