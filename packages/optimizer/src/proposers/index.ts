import type { Proposer } from '../proposer.js';
import { analytic } from './analytic.js';
import { annealing } from './annealing.js';
import { beam } from './beam.js';
import { exhaustive } from './exhaustive.js';
import { greedy } from './greedy.js';
import { random } from './random.js';

/** In the order in which a standing lists them. */
export const PROPOSERS: readonly Proposer[] = [exhaustive, analytic, beam, annealing, greedy, random];
