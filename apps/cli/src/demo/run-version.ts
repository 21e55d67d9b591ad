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

/** Hosts tell every 5 s what their pools had and used: of a run that is hardly longer the share would be chance. */
const SHORTEST_FOR_USAGE_S = 10;

/** Starts the instances of a version and fills its caches; answers how many records it did in a second, cold starts included. */
export async function warmUp({ name, topology }: Version, load: Load, limit = Infinity): Promise<{ records: number; perSecond: number }> {
  const records = Math.min(limit, Math.max(WARM_UP, load.openExecutions * topology.batch.records));
  const scope = `${load.scope}-warm-up-${name}`;
  const from = new Date();
  await backfill('warming up', { ...load, scope, limit: records, version: name });
  const { throughput } = await measuredIn(load, { name, scope, from });
  return { records, perSecond: throughput };
}

export interface RunSize {
  /** Invoices that both versions get, and whose outcomes are compared. */
  readonly limit: number;
  /** Invoices of a second, longer run to measure, for a version that is through with the first before there is much to see. */
  readonly longer?: number;
  readonly warmedUp: number;
}

/** Runs the first `limit` invoices through one version, in a scope of its own, and reads from the API how they ended and what was measured. */
export async function runVersion(version: Version, load: Load, { limit, longer, warmedUp }: RunSize): Promise<DemoRun> {
  const { client, pipeline, databaseUrl, openExecutions } = load;
  const { name, topology } = version;
  const scope = `${load.scope}-${name}`;
  const first = await run(version, { ...load, scope }, limit);
  const [{ digest, counts }, { stages: allocation }, sink, { measured, metrics, stages }] = await Promise.all([
    client.pipelines.digest(pipeline, scope),
    client.allocations.show(pipeline, name),
    storedOrders(databaseUrl, scope),
    longer === undefined ? first : run(version, { ...load, scope: `${scope}-longer` }, longer),
  ]);
  const stated = { openExecutions, recordsPerExecution: topology.batch.records, warmedUp };
  return { version: name, scope, topology, allocation, load: stated, counts, digest, sink, measured, metrics, stages };
}

async function run({ name }: Version, load: Load, limit: number): Promise<Pick<DemoRun, 'measured' | 'metrics' | 'stages'>> {
  const { client, pipeline, scope, openExecutions, out } = load;
  const from = new Date();
  await backfill(`${name} runs`, { ...load, limit, version: name });
  await setTimeout(METERED_AFTER_MS);
  const window = { from: from.toISOString(), version: name, scope };
  const [metrics, { rows: stages }] = await Promise.all([
    measuredIn(load, { name, scope, from }),
    client.pipelines.metrics(pipeline, { ...window, by: 'stage' }),
  ]);
  const seconds = metrics.records / metrics.throughput;
  out.fact(`${whole(metrics.records)} invoices in ${seconds.toFixed(1)} s, ${openExecutions} executions open at once.`);
  return {
    measured: { scope, invoices: metrics.records, seconds },
    metrics: seconds < SHORTEST_FOR_USAGE_S ? withoutUsage(metrics) : metrics,
    stages,
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

async function measuredIn(
  { client, pipeline }: Load,
  { name, scope, from }: { name: string; scope: string; from: Date },
): Promise<Metrics> {
  const { rows } = await client.pipelines.metrics(pipeline, { from: from.toISOString(), version: name, scope });
  const [metrics] = rows;
  if (!metrics) throw new CliError('DEMO_FAILED', `Nothing was measured of ${name} in the scope ${scope}; the worker's log says why.`);
  return metrics;
}

function withoutUsage({ utilisation: _, ...metrics }: Metrics): Metrics {
  return metrics;
}
