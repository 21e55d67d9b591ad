import { freshParameters, validated } from '@autoflow/learning';
import { hpa, runEpisodes, scoreAt } from '@autoflow/optimizer';
import { randomScenario, splitFunctions, syntheticFunctions } from '@autoflow/twin';
import { mean } from '../statistics.js';
import { bestSoFar, type Judged } from './reached.js';
import type { Moment } from './watch.js';

const K = 20;
const SCENARIOS = 16;
/** Apart from what learners are trained on and validated by. */
const SEED = 3_000;
/** What the `policy` benchmark finds best on validation. */
const HPA = { target: 0.8, stabilisationMs: 600_000 };

const { train: functions } = splitFunctions(syntheticFunctions(100, 1));
/** Load of the kind that the learners of a worker learn from. */
const scenarios = Array.from({ length: SCENARIOS }, (_, i) =>
  randomScenario(SEED + i, { functions, split: 'train', stages: { least: 4, most: 7 } }),
);

/** The score of parameters: J = cost + 20 × late records, on load that nothing was learned from. */
export const scoreOf = (weights: Float32Array): number => validated(weights, { validation: scenarios, validationK: K }).score;

export function judged(moments: readonly Moment[]): Judged[] {
  return bestSoFar(moments.map(({ seconds, steps, weights }) => ({ seconds, steps, score: scoreOf(weights) })));
}

/** What to compare scores with: a policy that has learned nothing, and the autoscaler's rule. */
export const untrained = (seed: number): number => scoreOf(freshParameters(seed));
export const rule = (): number => mean(runEpisodes(scenarios, () => hpa(HPA)).map((episode) => scoreAt(K, episode)));

export const about = { scenarios: SCENARIOS, k: K, functions: `${functions.length} synthetic, those that learners learn from` };
