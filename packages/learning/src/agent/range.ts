import { ControlEnvironment, type ControlScenario } from '@autoflow/twin';
import type { Allocator } from '@autoflow/optimizer';
import { OBSERVED, observe, placesOf } from './observation.js';
import type { ObservedRange } from './policy.js';

/** Of the width between least and most, on either side: what is a little beyond was nearly met. */
const MARGIN = 0.25;

/** What an allocator meets on these scenarios. */
export function observedRange(
  scenarios: readonly ControlScenario[],
  allocator: Allocator,
  k: { readonly least: number; readonly most: number },
): ObservedRange {
  const least = new Array<number>(OBSERVED).fill(Number.POSITIVE_INFINITY);
  const most = new Array<number>(OBSERVED).fill(Number.NEGATIVE_INFINITY);
  for (const [i, scenario] of scenarios.entries()) {
    const environment = new ControlEnvironment(scenario);
    const controller = allocator.start(scenario.pipeline);
    const places = placesOf(scenario.pipeline);
    const { state } = environment;
    const into = new Float32Array(state.stages * OBSERVED);
    while (!environment.done) {
      environment.step(controller.decide(state));
      observe(state, places, i % 2 === 0 ? k.least : k.most, into);
      into.forEach((value, at) => {
        const o = at % OBSERVED;
        least[o] = Math.min(least[o]!, value);
        most[o] = Math.max(most[o]!, value);
      });
    }
  }
  return { least, most };
}

/** The first observation, by index, that is no number or lies well outside of what was met; none: the policy may decide. */
export function outOfRange(observations: Float32Array, range: ObservedRange): number | undefined {
  for (let at = 0; at < observations.length; at++) {
    const [from, to] = trustedBetween(at % OBSERVED, range);
    const value = observations[at]!;
    if (!(value >= from && value <= to)) return at;
  }
  return undefined;
}

/** Between which values of an observation the policy may decide. */
export function trustedBetween(o: number, { least, most }: ObservedRange): readonly [from: number, to: number] {
  const margin = MARGIN * (most[o]! - least[o]!) + 1e-6;
  return [least[o]! - margin, most[o]! + margin];
}
