import { setTimeout as delay } from 'node:timers/promises';
import type { OptimizationDetail } from '@autoflow/client';
import { METERED_WITHIN_MS } from '../../cells/load.js';
import { ended, PIPELINE, type Cold, type Objective } from './cold.js';

/** Records that went in batches because the feeder's probes did not do; what they cost at list prices. */
export interface Probes {
  readonly records: number;
  readonly usd: number;
}
export interface Found {
  readonly objective: Objective;
  readonly optimization: OptimizationDetail;
  /** When the one that counts was asked for, the probes before it included. */
  readonly startedAt: number;
  readonly probes: Probes;
}

/** Of the p95 of what runs: what is not rolled out is held to the objective alone, as the static plans are. */
const BY_NONE = 100;

/** Asks for optimizations until one registers a version. */
export async function optimized(cold: Cold, scope: string): Promise<Found> {
  const { api, conditions, asked } = cold;
  const { attempts, seconds, searchSeconds, training } = conditions.coldStart;
  const startedAt = Date.now();
  const objective = asked.objective ?? (await objectiveOf(cold, scope));
  const probes = { records: 0, usd: 0 };
  for (let attempt = 1; ; attempt++) {
    // The feeder's own probes tell what a batch costs; where they were too few, more records go in batches. And it is measured longer, as it asks for.
    if (attempt > 1) {
      await delay(seconds * 1000);
      const probed = await probe(cold, attempt);
      probes.records += probed.records;
      probes.usd += probed.usd;
    }
    const { id } = await api.optimizations.start(PIPELINE, {
      times: asked.times,
      ...objective,
      ...(!asked.isRolledOut && { rollout: { p95: BY_NONE } }),
      seconds: searchSeconds,
      training,
      scope,
      since: '1h',
      reason: 'headline',
    });
    const optimization = await ended(
      () => api.optimizations.show(PIPELINE, id),
      ({ state }) => state !== 'running',
    );
    for (const { step, reason } of optimization.decisions) cold.progress(`  ${step}: ${reason}`);
    if (optimization.registered !== undefined || attempt === attempts) return { objective, optimization, startedAt, probes };
  }
}

async function objectiveOf({ api, conditions }: Cold, scope: string): Promise<Objective> {
  const { rows } = await api.pipelines.metrics(PIPELINE, { version: 'v1', scope });
  return { p95Ms: Math.round(rows[0]!.latency.mean), p99Ms: conditions.serviceLevelMs };
}

/** A few of the invoices go in batches. */
async function probe({ api, conditions, load }: Cold, attempt: number): Promise<Probes> {
  const { batchRecords, batches } = conditions.coldStart.probes;
  const scope = `probes-${attempt}`;
  const from = new Date();
  const { id } = await api.backfills.start(PIPELINE, {
    source: load.source,
    scope,
    limit: batches * batchRecords,
    batchRecords,
    concurrency: 4,
    maxShare: 1,
  });
  await ended(
    () => api.backfills.show(PIPELINE, id),
    ({ state }) => state !== 'running',
  );
  await delay(METERED_WITHIN_MS);
  const { rows } = await api.pipelines.metrics(PIPELINE, { from: from.toISOString(), to: new Date().toISOString(), scope });
  const [row] = rows;
  return { records: row?.records ?? 0, usd: ((row?.records ?? 0) / 1000) * (row?.costPer1000?.all ?? 0) };
}
