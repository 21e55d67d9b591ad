import { randomScenario, splitFunctions, syntheticFunctions, type ControlScenario, type FunctionCounts } from '@autoflow/twin';
import type { ScenarioSource } from './rollouts.js';

const STAGES = { least: 4, most: 7 };
const VALIDATED = 12;
/** Apart from the seeds that are learned from. */
const VALIDATION = 1_000;

/** What the learners of a worker play: half of the episodes as most pipelines are run, half at any service level and interval. */
export function learnersScenarios(given?: readonly FunctionCounts[]): ScenarioSource {
  const { train: functions } = splitFunctions(given ?? syntheticFunctions(100, 1));
  return (seed) => randomScenario(seed, { functions, split: 'train', stages: STAGES, varied: seed % 2 === 1 });
}

/** What they are judged by; `count` of the like, the same first. */
export const validationOf = (scenarios: ScenarioSource, count = VALIDATED): ControlScenario[] =>
  Array.from({ length: count }, (_, i) => scenarios(VALIDATION + i));
