import { TOPOLOGY_BOUNDS } from '../parse-topology.js';
import { withinBounds } from './conditions.js';
import { defineRewrite } from './rewrite.js';

/** How long a feeder waits for a batch to fill. */
export interface Linger {
  readonly rewrite: 'linger';
  readonly lingerMs: number;
}

const LADDER = [0, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, TOPOLOGY_BOUNDS.lingerMs.max];

export const linger = defineRewrite<Linger>({
  name: 'linger',
  keepsDrops: true,
  places: ({ topology }) => LADDER.filter((one) => one !== topology.lingerMs).map((lingerMs) => ({ rewrite: 'linger' as const, lingerMs })),
  apply: (topology, { lingerMs }) => ({ ...topology, lingerMs }),
  conditions: (_, { lingerMs }) => [withinBounds('lingerMs', lingerMs)],
  undo: ({ lingerMs }): Linger => ({ rewrite: 'linger', lingerMs }),
});
