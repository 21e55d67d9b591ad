import type { LoadShape, Measured } from '@autoflow/twin';
import type { MetricsQuery, MetricsStore } from './metrics.model.js';

/** What a version did in a window of time: what the twin is held against, and the load that it is asked about. */
export interface Observed {
  readonly records: number;
  readonly measured: Measured;
  /** How long it was measured. */
  readonly observedMs: number;
  /** Of the load, as it was at last; absent where that was steady. */
  readonly shape?: LoadShape;
}

/** Undefined where it did nothing. */
export async function observed(
  { metrics, shape }: Pick<MetricsStore, 'metrics' | 'shape'>,
  window: Omit<MetricsQuery, 'by'> & { readonly version: string },
): Promise<Observed | undefined> {
  const [row] = await metrics({ ...window, by: 'version' });
  if (row === undefined || !(row.throughput > 0)) return undefined;
  const { records, throughput, latency, costPer1000 } = row;
  const varying = await shape(window);
  return {
    records,
    measured: { throughput, latencyMs: latency, ...(costPer1000 && { costPer1000 }) },
    observedMs: (1000 * records) / throughput,
    ...(varying && { shape: varying }),
  };
}
