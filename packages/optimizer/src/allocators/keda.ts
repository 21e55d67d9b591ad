import { allocatorOf, type Allocator } from './allocator.js';

export interface KedaOptions {
  /** Invocations, queued or running, that one instance is meant for. */
  readonly perInstance: number;
  readonly cooldownMs: number;
}

/** An event-driven scaler as KEDA runs one: work there is, divided by work per instance; down only after the cool-down. */
export function kedaLike({ perInstance, cooldownMs }: KedaOptions): Allocator {
  return allocatorOf({
    name: `keda-like ${perInstance} ${cooldownMs / 1000} s`,
    start({ stages, intervalMs }) {
      const remembered = Math.round(cooldownMs / intervalMs) + 1;
      const recent = stages.map((): number[] => []);
      return {
        want: ({ queued, tick }) =>
          stages.map((_, s) => {
            const work = queued[s]! + (tick?.stages[s]?.busyMs ?? 0) / intervalMs;
            recent[s]!.push(Math.ceil(work / perInstance));
            if (recent[s]!.length > remembered) recent[s]!.shift();
            return Math.max(...recent[s]!);
          }),
        explain: (s) => `work for ${recent[s]!.at(-1) ?? 0} instances of ${perInstance} each`,
      };
    },
  });
}
