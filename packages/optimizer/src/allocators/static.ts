import { EPISODE_STEPS, type ControlScenario, type StageTarget } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { runEpisode, scoreAt } from './episode.js';
import { withinLimits } from './limits.js';

/** Sets once what it was given. */
export function fixed(name: string, targets: readonly StageTarget[]): Allocator {
  return {
    name,
    start: (pipeline) => {
      const bounded = withinLimits(pipeline, targets);
      return { decide: () => bounded, explain: () => 'never changed' };
    },
  };
}

const MULTIPLES = [0.6, 0.8, 1, 1.3, 1.7, 2.2, 3, 4, 5.5, 7];
const STEPS = [0.8, 1.25];
const PASSES = 2;

/** A good constant for an episode, by local search in the twin: the best multiple of the mean load for all stages, then stage by stage, twice up and down. */
export function bestStatic(scenario: ControlScenario, k: number, intervals = EPISODE_STEPS): readonly StageTarget[] {
  const { pipeline, serviceMs, ratePerSecond, start } = scenario;
  const at = (concurrency: readonly number[]): StageTarget[] =>
    withinLimits(
      pipeline,
      pipeline.stages.map(({ name }, s) => ({ concurrency: concurrency[s]!, memoryMb: start[name]!.memoryMb })),
    );
  const judged = (targets: StageTarget[]): { targets: StageTarget[]; score: number } => ({
    targets,
    score: scoreAt(k, runEpisode(scenario, fixed('static', targets), intervals)),
  });
  let best = MULTIPLES.map((multiple) => judged(at(serviceMs.map((ms) => (multiple * ratePerSecond * ms) / 1000)))).reduce(better);
  for (let pass = 0; pass < PASSES; pass++)
    for (let s = 0; s < pipeline.stages.length; s++)
      for (const step of STEPS) {
        const concurrency = best.targets.map(({ concurrency: own }, i) =>
          i !== s ? own : step < 1 ? Math.floor(own * step) : Math.ceil(own * step),
        );
        best = better(best, judged(at(concurrency)));
      }
  return best.targets;
}

const better = <T extends { readonly score: number }>(a: T, b: T): T => (b.score < a.score ? b : a);

/** The best constant that the search finds when it has seen what comes: next to the best that there is, not proven to be it. */
export function hindsightStatic(scenario: ControlScenario, k: number): Allocator {
  return fixed('static, in hindsight', bestStatic(scenario, k));
}
/** Tuned on the window before, as one would. */
export function causalStatic(scenario: ControlScenario, k: number): Allocator {
  return fixed('static, causal', bestStatic(scenario.before?.() ?? scenario, k));
}
