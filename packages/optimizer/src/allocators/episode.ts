import { ControlEnvironment, EPISODE_STEPS, type ControlScenario } from '@autoflow/twin';
import type { Allocator } from './allocator.js';

/** What a controller made of an episode. */
export interface Episode {
  /** Provisioned memory-seconds, as a multiple of what the mean load keeps busy. */
  readonly cost: number;
  /** Share of the records that went past the service level. */
  readonly late: number;
}

/** J(k) = cost + k · late: lower is better. */
export const scoreAt = (k: number, { cost, late }: Episode): number => cost + k * late;

/** Deterministic: the scenario holds all the luck. */
export function runEpisode(scenario: ControlScenario, allocator: Allocator, steps = EPISODE_STEPS): Episode {
  const environment = new ControlEnvironment(scenario);
  const controller = allocator.start(scenario.pipeline);
  let [cost, late] = [0, 0];
  while (environment.steps < steps) {
    environment.step(controller.decide(environment.state));
    for (let s = 0; s < environment.cost.length; s++) cost += environment.cost[s]!;
    late += environment.late;
  }
  return { cost: cost / environment.steps, late: late / environment.steps };
}

/** An allocator, or one that is made for the scenario. */
export type AllocatorFor = (scenario: ControlScenario) => Allocator;

export function runEpisodes(scenarios: readonly ControlScenario[], allocatorFor: AllocatorFor): Episode[] {
  return scenarios.map((scenario) => runEpisode(scenario, allocatorFor(scenario)));
}

/** The one with the lowest mean score on these scenarios: rules are tuned where the agent is selected, never where it is judged. */
export function tuned(candidates: readonly Allocator[], scenarios: readonly ControlScenario[], k: number): Allocator {
  const scored = candidates.map((allocator) => {
    const episodes = runEpisodes(scenarios, () => allocator);
    return { allocator, score: episodes.reduce((sum, episode) => sum + scoreAt(k, episode), 0) / episodes.length };
  });
  return scored.reduce((a, b) => (b.score < a.score ? b : a)).allocator;
}
