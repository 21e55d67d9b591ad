import { setTimeout } from 'node:timers/promises';
import type { AutoFlowClient, Backfill, Version } from '@autoflow/client';
import { storedOrders } from '@autoflow/retail-orders';
import type { Source } from '@autoflow/client';
import { whole } from './figures.js';
import type { Printer } from './printer.js';
import type { DemoRun } from './report.js';

export interface RunOptions {
  readonly client: AutoFlowClient;
  readonly pipeline: string;
  readonly databaseUrl: string;
  readonly source: Source;
  readonly limit: number;
  /** Executions open at once. */
  readonly openExecutions: number;
  readonly out: Printer;
}

const POLL_MS = 500;
/** Metering is written in batches; a second is enough for the last one. */
const METERED_AFTER_MS = 1_500;

/** Runs the invoices through one version, in a scope of its own, after a warm-up in another; and reads from the API what was measured. */
export async function runVersion(version: Version, options: RunOptions): Promise<DemoRun> {
  const { client, pipeline, databaseUrl, limit, openExecutions, out } = options;
  const recordsPerExecution = Math.min(version.topology.batch.records, limit);
  const warmUp = Math.min(openExecutions * recordsPerExecution, limit);
  await backfill(`warm-up-${version.name}`, { ...options, version: version.name, limit: warmUp });

  const scope = `demo-${version.name}`;
  const from = new Date();
  const done = await backfill(scope, { ...options, version: version.name });
  const to = new Date(Date.now() + METERED_AFTER_MS);
  await setTimeout(METERED_AFTER_MS);

  const window = { from: from.toISOString(), to: to.toISOString(), version: version.name, scope };
  const [{ rows: versions }, { rows: stages }, { digest, counts }, { stages: allocation }, sink] = await Promise.all([
    client.pipelines.metrics(pipeline, { ...window, by: 'version' }),
    client.pipelines.metrics(pipeline, { ...window, by: 'stage' }),
    client.pipelines.digest(pipeline, scope),
    client.allocations.show(pipeline, version.name),
    storedOrders(databaseUrl, scope),
  ]);
  const [metrics] = versions;
  if (!metrics) throw new Error(`the API has no metrics of ${version.name} in scope ${scope}; look at the workers' log`);
  out.fact(`${version.name}: ${whole(done.progress.settled)} invoices at ${metrics.throughput.toFixed(1)} per second`);
  return {
    version: version.name,
    scope,
    topology: version.topology,
    allocation,
    load: { openExecutions, recordsPerExecution, warmUp },
    seconds: metrics.records / metrics.throughput,
    counts,
    digest,
    metrics,
    stages,
    sink,
  };
}

/** Starts a backfill and shows its progress until it has ended. Without a version: the one that is stable. */
export async function backfill(scope: string, options: RunOptions & { readonly version?: string }): Promise<Backfill> {
  const { client, pipeline, source, limit, openExecutions, version, out } = options;
  const { id } = await client.backfills.start(pipeline, { source, scope, limit, concurrency: openExecutions, ...(version && { version }) });
  for (;;) {
    const now = await client.backfills.show(pipeline, id);
    if (now.state === 'completed') return now;
    if (now.state !== 'running') throw new Error(`the backfill ${id} is ${now.state}: ${now.reason ?? 'without a reason'}`);
    out.progress(`${scope}: ${whole(now.progress.settled)} of ${whole(limit)} invoices settled`);
    await setTimeout(POLL_MS);
  }
}
