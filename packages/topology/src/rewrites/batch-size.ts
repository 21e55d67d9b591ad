import { TOPOLOGY_BOUNDS } from '../parse-topology.js';
import { memoryFit, partsFilled, withinBounds } from './conditions.js';
import { defineRewrite } from './rewrite.js';

/** How many records and bytes a batch holds at most. */
export interface BatchSize {
  readonly rewrite: 'batch-size';
  readonly records: number;
  readonly bytes: number;
}

const LADDER = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, TOPOLOGY_BOUNDS.batchRecords.max];

export const batchSize = defineRewrite<BatchSize>({
  name: 'batch-size',
  keepsDrops: true,

  places: ({ topology: { batch } }) =>
    LADDER.filter((records) => records !== batch.records).map((records) => ({
      rewrite: 'batch-size' as const,
      records,
      bytes: batch.bytes,
    })),

  apply: (topology, { records, bytes }) => ({ ...topology, batch: { records, bytes } }),

  conditions(context, step) {
    const next = this.apply(context.topology, step);
    return [
      withinBounds('batchRecords', step.records),
      withinBounds('batchBytes', step.bytes),
      ...next.stages.flatMap((stage) => [partsFilled(next, stage), memoryFit(context, next, stage)]),
    ];
  },

  undo: ({ batch }): BatchSize => ({ rewrite: 'batch-size', ...batch }),
});
