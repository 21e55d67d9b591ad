import { allocatorOf, type Allocator } from './allocator.js';

export interface StaffingOptions {
  /** Reserve in square roots of the need. */
  readonly beta: number;
  /** Part of the latest growth of the load that is expected to come once more. */
  readonly trend: number;
}

/**
 * Square-root staffing (Halfin and Whitt, 1981) on what comes and waits, with the growth of the last interval added: need + β·√need. What
 * is fallen back on where nothing better is known.
 */
export function staffing({ beta, trend }: StaffingOptions): Allocator {
  return allocatorOf({
    name: `staffing ${beta} + trend ${trend}`,
    start({ stages }) {
      const needs = stages.map(() => 0);
      return {
        want: (state) =>
          stages.map((_, s) => {
            const growth = Math.max(0, state.load[s]! - state.loadBefore[s]!);
            const need = Math.max(0.01, state.need(s) + trend * growth);
            needs[s] = need;
            return Math.ceil(need + beta * Math.sqrt(need));
          }),
        explain: (s) => `${needs[s]!.toFixed(1)} instances needed, reserve ${beta} of their square root`,
      };
    },
  });
}
