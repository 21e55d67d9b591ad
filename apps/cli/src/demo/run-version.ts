import { setTimeout } from 'node:timers/promises';
import type { AutoFlowClient, Backfill, Metrics, Source, Version } from '@autoflow/client';
import { storedOrders } from '@autoflow/retail-orders';
import { CliError } from '../errors.js';
import { whole } from './figures.js';
import type { Printer } from './printer.js';
import type { DemoRun } from './report.js';

export interface Load {
  readonly client: AutoFlowClient;
  readonly pipeline: string;
  readonly databaseUrl: string;
  readonly source: Source;
  /** Names of scopes begin with it: no two demos on one database meet. */
  readonly scope: string;
  /** Executions open at once. */
  readonly openExecutions: number;
  readonly out: Printer;
}

const WARM_UP = 40;
const POLL_MS = 500;
/** Measurements are written in batches, off the path of the records: the last ones are there by then. */
const METERED_AFTER_MS = 2_000;

/** Starts the instances of a version and fills its caches; answers how many records it did in a second, cold starts included. */
export async function warmUp({ name, topology }: Version, load: Load, limit = Infinity): Promise<{ records: number; perSecond: number }> {
  const records = Math.min(limit, Math.max(WARM_UP, load.openExecutions * topology.batch.records));
  const scope = `${load.scope}-warm-up-${name}`;
  const from = new Date();
  await backfill('warming up', { ...load, scope, limit: records, version: name });
  const { throughput } = await measured(load, { name, scope, from });
  return { records, perSecond: throughput };
}

/** Runs the first `limit` invoices through one version, in a scope of its own, and reads from the API what was measured. */
export async function runVersion(version: Version, load: Load, { limit, warmedUp }: { limit: number; warmedUp: number }): Promise<DemoRun> {
  const { client, pipeline, databaseUrl, openExecutions, out } = load;
  const { name, topology } = version;
  const scope = `${load.scope}-${name}`;
  const from = new Date();
  await backfill(`${name} runs`, { ...load, scope, limit, version: name });
  await setTimeout(METERED_AFTER_MS);
  const [metrics, { rows: stages }, { digest, counts }, { stages: allocation }, sink] = await Promise.all([
    measured(load, { name, scope, from }),
    client.pipelines.metrics(pipeline, { from: from.toISOString(), version: name, scope, by: 'stage' }),
    client.pipelines.digest(pipeline, scope),
    client.allocations.show(pipeline, name),
    storedOrders(databaseUrl, scope),
  ]);
  out.fact(
    `${whole(metrics.records)} invoices in ${(metrics.records / metrics.throughput).toFixed(1)} s, ${openExecutions} executions open at once.`,
  );
  const recordsPerExecution = Math.min(topology.batch.records, limit);
  return {
    version: name,
    scope,
    topology,
    allocation,
    load: { openExecutions, recordsPerExecution, warmedUp },
    counts,
    digest,
    metrics,
    stages,
    sink,
  };
}

/** Runs a backfill to its end. Without a version, each execution gets the one that is stable when it starts. */
export async function backfill(
  doing: string,
  { client, pipeline, source, scope, limit, openExecutions, version, out }: Load & { limit: number; version?: string },
): Promise<Backfill> {
  const { id } = await client.backfills.start(pipeline, { source, scope, limit, concurrency: openExecutions, ...(version && { version }) });
  for (;;) {
    const now = await client.backfills.show(pipeline, id);
    if (now.state === 'completed') return now;
    if (now.state !== 'running')
      throw new CliError('DEMO_FAILED', `The backfill ${id} is ${now.state}: ${now.reason ?? 'no reason was given'}.`);
    out.progress(`${doing}: ${whole(now.progress.settled)} of ${whole(limit)} invoices`);
    await setTimeout(POLL_MS);
  }
}

async function measured({ client, pipeline }: Load, { name, scope, from }: { name: string; scope: string; from: Date }): Promise<Metrics> {
  const { rows } = await client.pipelines.metrics(pipeline, { from: from.toISOString(), version: name, scope });
  const [metrics] = rows;
  if (!metrics) throw new CliError('DEMO_FAILED', `Nothing was measured of ${name} in the scope ${scope}; the worker's log says why.`);
  return metrics;
}
