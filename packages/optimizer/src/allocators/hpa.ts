import { allocatorOf, type Allocator } from './allocator.js';

export interface HpaOptions {
  /** Busy share of the instances that is aimed at. */
  readonly target: number;
  /** An instance is given up only when every recommendation of so long agrees. */
  readonly stabilisationMs: number;
}

/** Ratios this near to 1 change nothing. */
const TOLERANCE = 0.1;
/** Up by a factor of 2 or by 4 per interval, whichever is more. */
const UP = { factor: 2, instances: 4 } as const;

/** The rule of Kubernetes' horizontal pod autoscaler (v2 defaults, 15 s): desired = ⌈current · utilisation / target⌉. */
export function hpa({ target, stabilisationMs }: HpaOptions): Allocator {
  const name = `hpa ${target} ${stabilisationMs / 1000} s`;
  return allocatorOf({
    name,
    start({ stages, intervalMs }) {
      const remembered = Math.round(stabilisationMs / intervalMs) + 1;
      const recommendations = stages.map((): number[] => []);
      const used = stages.map(() => 0);
      return {
        want: ({ concurrency, utilisation }) =>
          stages.map((_, s) => {
            const [current, recent] = [concurrency[s]!, recommendations[s]!];
            used[s] = utilisation[s]!;
            const ratio = utilisation[s]! / target;
            const desired = Math.abs(ratio - 1) > TOLERANCE ? Math.ceil(current * ratio) : current;
            recent.push(Math.min(desired, Math.max(UP.factor * current, current + UP.instances)));
            if (recent.length > remembered) recent.shift();
            const now = recent[recent.length - 1]!;
            return now >= current ? now : Math.min(current, Math.max(...recent));
          }),
        explain: (s) => `utilisation ${used[s]!.toFixed(2)} against ${target}`,
      };
    },
  });
}
