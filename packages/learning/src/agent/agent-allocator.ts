import { FALLBACK, withinLimits, type Allocator } from '@autoflow/optimizer';
import { ACTION_COUNT, ACTIONS, instancesOf, openActions } from './actions.js';
import { Inference } from './network.js';
import { OBSERVATIONS, OBSERVED, observe, placesOf } from './observation.js';
import type { ObservedRange, Policy } from './policy.js';
import { outOfRange, trustedBetween } from './range.js';

/**
 * The learned policy as an allocator: for every stage the action that it holds most likely, at a late record's cost of `k`. Where an
 * observation lies outside of what the policy was trained on, `fallback` decides for that interval. Needs no tensor library.
 */
export function agentAllocator(
  { parameters, range }: Pick<Policy, 'parameters'> & Partial<Policy>,
  k: number,
  fallback = FALLBACK,
): Allocator {
  return {
    name: 'agent',
    start(pipeline) {
      const inference = new Inference(parameters);
      const places = placesOf(pipeline);
      const count = pipeline.stages.length;
      const observations = new Float32Array(count * OBSERVED);
      const open = new Uint8Array(count * ACTION_COUNT);
      const chosen = new Int32Array(count);
      const instead = fallback.start(pipeline);
      let outside: number | undefined;
      return {
        decide: (state) => {
          observe(state, places, k, observations);
          const spare = range && instead.decide(state);
          outside = range && outOfRange(observations, range);
          if (outside !== undefined) return spare!;
          const logits = inference.act(observations, count);
          const targets = pipeline.stages.map((_, s) => {
            openActions(s, state, open, s * ACTION_COUNT);
            chosen[s] = mostLikely(logits, open, s * ACTION_COUNT);
            return { concurrency: instancesOf(chosen[s], s, state), memoryMb: state.memoryMb[s]! };
          });
          return withinLimits(pipeline, targets);
        },
        explain: (s) => (outside === undefined ? ACTIONS[chosen[s]!]! : `fallback (${unlike(outside, range!)}): ${instead.explain(s)}`),
        leftTo: () => (outside === undefined ? undefined : unlike(outside, range!)),
      };
    },
  };
}

function unlike(at: number, range: ObservedRange): string {
  const o = at % OBSERVED;
  const [from, to] = trustedBetween(o, range).map((value) => value.toFixed(2));
  return `observation ${o} (${OBSERVATIONS[o]}) of stage ${Math.floor(at / OBSERVED)} is unlike any of the training: not within ${from} to ${to}`;
}

function mostLikely(logits: Float32Array, open: Uint8Array, at: number): number {
  let best = 0;
  for (let a = 1; a < ACTION_COUNT; a++) if (open[at + a] === 1 && logits[at + a]! > logits[at + best]!) best = a;
  return best;
}
