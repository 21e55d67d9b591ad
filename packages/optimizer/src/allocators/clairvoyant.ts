import { rateAt, type ControlScenario } from '@autoflow/twin';
import { allocatorOf, type Allocator } from './allocator.js';

const LOOKS = 6;

/** Knows the rate of the interval that comes, not its luck: as many instances as its peak and what waits keep busy. */
export function clairvoyant({ profile, serviceMs }: ControlScenario): Allocator {
  return allocatorOf({
    name: 'clairvoyant',
    start: ({ stages, intervalMs }) => ({
      want: (state) => {
        const now = state.tick?.at ?? 0;
        let peak = 0;
        for (let i = 0; i <= LOOKS; i++) peak = Math.max(peak, rateAt(profile, now + (i * intervalMs) / LOOKS));
        return stages.map((_, s) => Math.ceil((peak * serviceMs[s]!) / 1000 + state.backlog(s)));
      },
      explain: () => 'knows what comes',
    }),
  });
}
