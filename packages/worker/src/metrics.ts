/** What a worker process tells Prometheus of itself, beside what the Temporal SDK tells: through the SDK's own exporter, on one port. */
import type { MetricMeter } from '@temporalio/common';
import type { FunctionHostOptions } from '@autoflow/function-host';
import type { BatchRow, MeteringWriter } from '@autoflow/store';

type Pools = Parameters<FunctionHostOptions['acknowledge']>[0];
type Metering = Pick<MeteringWriter, 'invocation' | 'poolUsage'>;

export interface WorkerMetrics {
  /** Of the pools that there are now; those that are gone become 0. */
  pools(pools: Pools): void;
  /** Counts what passes, and passes it on. */
  counted(metering: Metering): Metering;
  opened(batch: Pick<BatchRow, 'pipeline' | 'arm' | 'ref'>): void;
}

/** Names as Prometheus has them: milliseconds, counted since the process started. Without an exporter the meter does nothing. */
export function workerMetrics(meter: MetricMeter): WorkerMetrics {
  const concurrency = meter.createGauge('autoflow_pool_concurrency', 'int', undefined, 'Instances that this host may run of a pool.');
  const instances = meter.createGauge('autoflow_pool_instances', 'int', undefined, 'Instances that it runs.');
  const provisioned = meter.createCounter('autoflow_pool_provisioned_milliseconds_total', 'ms', 'Time of its instances.');
  const busy = meter.createCounter('autoflow_pool_busy_milliseconds_total', 'ms', 'Of that, in invocations.');
  const invocations = meter.createCounter('autoflow_invocations_total', undefined, 'Attempts by how they ended.');
  const duration = meter.createHistogram(
    'autoflow_invocation_milliseconds',
    'int',
    'ms',
    'Of an attempt, waiting and cold start not counted.',
  );
  const coldStarts = meter.createCounter('autoflow_cold_starts_total', undefined, 'Instances that were started for an invocation.');
  const batches = meter.createCounter('autoflow_feeder_batches_total', undefined, 'Batches that this feeder has opened.');
  const records = meter.createCounter('autoflow_feeder_records_total', undefined, 'Records in them.');
  let known = new Map<string, ReturnType<typeof tagsOf>>();

  return {
    pools(pools) {
      const now = new Map(pools.map((pool) => [JSON.stringify(tagsOf(pool)), tagsOf(pool)]));
      for (const [key, tags] of known) if (!now.has(key)) for (const gauge of [concurrency, instances]) gauge.set(0, tags);
      for (const pool of pools) {
        concurrency.set(pool.concurrency, tagsOf(pool));
        instances.set(pool.instances, tagsOf(pool));
      }
      known = now;
    },
    counted: (metering) => ({
      invocation(row) {
        const { pipeline, version, stage, outcome, durationMs, cold } = row;
        invocations.add(1, { pipeline, version, stage, outcome });
        duration.record(Math.round(durationMs), { pipeline, version, stage });
        if (cold) coldStarts.add(1, { pipeline, version, stage });
        metering.invocation(row);
      },
      poolUsage(row) {
        provisioned.add(Math.round(row.provisionedS * 1000), tagsOf(row));
        busy.add(Math.round(row.busyS * 1000), tagsOf(row));
        metering.poolUsage(row);
      },
    }),
    opened({ pipeline, arm = 'direct', ref: { counts } }) {
      batches.add(1, { pipeline, arm });
      records.add(counts.records, { pipeline, arm });
    },
  };
}

function tagsOf({ pipeline, version, stage, memoryMb }: Pick<Pools[number], 'pipeline' | 'version' | 'stage' | 'memoryMb'>) {
  return { pipeline, version, stage, memory_mb: memoryMb };
}
