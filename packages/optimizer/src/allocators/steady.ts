import type { StageTarget } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { withinFleet } from './limits.js';

/** Changes by a smaller part of what there is are not worth one. */
const WORTH = 0.1;

/**
 * An allocator with hysteresis: raises at once what it wants to raise; gives up instances only as far as two decisions in a row agree, and
 * leaves alone what would change by less than a tenth. Where the fleet has no room for what would be left alone, it is given up.
 */
export function steady(allocator: Allocator): Allocator {
  return {
    name: allocator.name,
    start(pipeline) {
      const inner = allocator.start(pipeline);
      let before: readonly StageTarget[] | undefined;
      return {
        ...inner,
        decide(state) {
          const wanted = inner.decide(state);
          const last = before ?? wanted;
          before = wanted;
          const kept = wanted.map((target, s) => {
            const { min, max } = pipeline.stages[s]!.concurrency;
            const now = Math.max(min, Math.min(max, state.concurrency[s]!));
            const agreed =
              target.concurrency >= now ? target.concurrency : Math.min(now, Math.max(target.concurrency, last[s]!.concurrency));
            const worth = Math.abs(agreed - now) >= Math.max(1, WORTH * now);
            return { ...target, concurrency: worth ? agreed : now };
          });
          return withinFleet(
            pipeline,
            kept,
            kept.map(({ concurrency }, s) => Math.min(concurrency, wanted[s]!.concurrency)),
          );
        },
      };
    },
  };
}
