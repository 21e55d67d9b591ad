import { createHash } from 'node:crypto';
import { randomScenario, splitFunctions, syntheticFunctions, type ControlScenario, type FunctionCounts } from '@autoflow/twin';
import type { ScenarioSource } from './rollouts.js';

const STAGES = { least: 4, most: 7 };
const VALIDATED = 12;
/** Apart from the seeds that are learned from. */
const VALIDATION = 1_000;

const MADE_UP = { functions: 100, seed: 1 };

/** Whose load is learned from: of functions that were measured, told apart by a digest of their counts, or of made-up ones. */
export type LearnersData =
  { readonly source: 'given'; readonly functions: number; readonly sha256: string } | ({ readonly source: 'made-up' } & typeof MADE_UP);

export function learnersData(given?: readonly FunctionCounts[]): LearnersData {
  if (given === undefined) return { source: 'made-up', ...MADE_UP };
  const sha256 = createHash('sha256').update(JSON.stringify(given)).digest('hex');
  return { source: 'given', functions: given.length, sha256 };
}

/** What the learners of a worker play: half of the episodes as most pipelines are run, half at any service level and interval. */
export function learnersScenarios(given?: readonly FunctionCounts[]): ScenarioSource {
  const { train: functions } = splitFunctions(given ?? syntheticFunctions(MADE_UP.functions, MADE_UP.seed));
  return (seed) => randomScenario(seed, { functions, split: 'train', stages: STAGES, varied: seed % 2 === 1 });
}

/** What they are judged by; `count` of the like, the same first. */
export const validationOf = (scenarios: ScenarioSource, count = VALIDATED): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenarios(VALIDATION + i));
