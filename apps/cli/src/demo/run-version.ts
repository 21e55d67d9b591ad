import { setTimeout } from 'node:timers/promises';
import type { AutoFlowClient, IngestClient, Metrics, Source, Version } from '@autoflow/client';
import { storedOrders } from '@autoflow/retail-orders';
import { CliError } from '../errors.js';
import { whole } from './figures.js';
import type { Printer } from './printer.js';
import type { DemoRun } from './report.js';

export interface Load {
  readonly client: AutoFlowClient;
  readonly ingest: IngestClient;
  readonly pipeline: string;
  readonly databaseUrl: string;
  readonly source: Source;
  /** Names of scopes begin with it: no two demos on one database meet. */
  readonly scope: string;
  /** Executions open at once. */
  readonly openExecutions: number;
  readonly out: Printer;
  readonly signal: AbortSignal;
}

const WARM_UP = 40;
const POLL_MS = 500;
/** Measurements are written in batches, off the path of the records: the last ones are there by then. */
export const METERED_AFTER_MS = 2_000;

/** Hosts tell every 5 s what their pools had and used: of a run that is hardly longer the share would be chance. */
const SHORTEST_FOR_USAGE_S = 10;

/** Starts the instances of a version and fills its caches; answers how many records it did in a second, cold starts included. */
export async function warmUp({ name, topology }: Version, load: Load, limit = Infinity): Promise<{ records: number; perSecond: number }> {
  const records = Math.min(limit, Math.max(WARM_UP, load.openExecutions * topology.batch.records));
  const scope = `${load.scope}-warm-up-${name}`;
  const window = await backfill('warming up', { ...load, scope, limit: records, version: name });
  const { throughput } = await measuredIn(load, { ...window, version: name, scope });
  return { records, perSecond: throughput };
}

export interface RunSize {
  /** Invoices that both versions get, and whose outcomes are compared. */
  readonly limit: number;
  /** For a version that is through with them before there is much to measure: about so many seconds of a second run are measured instead. */
  readonly longerSeconds?: number;
  readonly warmedUp: number;
}

/** Runs the first `limit` invoices through one version, in a scope of its own, and reads from the API how they ended and what was measured. */
export async function runVersion(version: Version, load: Load, { limit, longerSeconds, warmedUp }: RunSize): Promise<DemoRun> {
  const { client, pipeline, databaseUrl, openExecutions } = load;
  const { name, topology } = version;
  const scope = `${load.scope}-${name}`;
  const first = await measure(version, { ...load, scope }, limit);
  const [{ digest, counts }, { stages: allocation }, sink, { measured, metrics, stages }] = await Promise.all([
    client.pipelines.digest(pipeline, scope),
    client.allocations.show(pipeline, name),
    storedOrders(databaseUrl, scope),
    longerSeconds === undefined
      ? first
      : measure(version, { ...load, scope: `${scope}-longer` }, forSeconds(longerSeconds, first.metrics.throughput)),
  ]);
  const stated = { openExecutions, recordsPerExecution: topology.batch.records, warmedUp };
  return { version: name, scope, topology, allocation, load: stated, counts, digest, sink, measured, metrics, stages };
}

/** Runs invoices through a version in the scope of the load, and reads from the API what was measured. */
export async function measure({ name }: Version, load: Load, limit: number): Promise<Pick<DemoRun, 'measured' | 'metrics' | 'stages'>> {
  const { client, pipeline, scope, openExecutions, out, signal } = load;
  const window = { ...(await backfill(`${name} runs`, { ...load, limit, version: name })), version: name, scope };
  await setTimeout(METERED_AFTER_MS, undefined, { signal });
  const [metrics, { rows: stages }] = await Promise.all([
    measuredIn(load, window),
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

/** How many invoices take so long; some, and not more than anybody wants to wait for. */
export const forSeconds = (seconds: number, perSecond: number): number =>
  Math.min(10_000, Math.max(100, Math.round((perSecond * seconds) / 50) * 50));

interface Window {
  readonly from: string;
  readonly to: string;
}

/**
 * Runs a backfill to its end; answers the time in which it had records, without that of looking through the file. Without a version,
 * each execution gets the one that is stable when it starts. When the demo is ended, the backfill is left: its stack goes next.
 */
export async function backfill(
  doing: string,
  load: Load & { readonly limit: number; readonly version?: string; readonly batchRecords?: number },
): Promise<Window> {
  const { client, pipeline, source, scope, limit, openExecutions, version, batchRecords, out, signal } = load;
  const { id } = await client.backfills.start(pipeline, {
    source,
    scope,
    limit,
    concurrency: openExecutions,
    ...(version && { version }),
    ...(batchRecords !== undefined && { batchRecords }),
  });
  for (let from = new Date(), hasBegun = false; ; await setTimeout(POLL_MS, undefined, { signal })) {
    const asked = new Date();
    const { state, reason, progress } = await client.backfills.show(pipeline, id);
    hasBegun ||= progress.read > 0;
    if (!hasBegun) from = asked;
    if (state === 'completed') return { from: from.toISOString(), to: new Date().toISOString() };
    if (state !== 'running') throw new CliError('DEMO_FAILED', `The backfill ${id} is ${state}: ${reason ?? 'no reason was given'}`);
    out.progress(`${doing}: ${whole(progress.settled)} of ${whole(limit)} invoices`);
  }
}

async function measuredIn(
  { client, pipeline }: Load,
  window: Window & { readonly version: string; readonly scope: string },
): Promise<Metrics> {
  const { rows } = await client.pipelines.metrics(pipeline, window);
  const [metrics] = rows;
  if (!metrics)
    throw new CliError('DEMO_FAILED', `Nothing was measured of ${window.version} in the scope ${window.scope}; the worker's log says why.`);
  return metrics;
}

function withoutUsage({ utilisation: _, ...metrics }: Metrics): Metrics {
  return metrics;
}
