import { fileURLToPath } from 'node:url';
import { type AutoFlowClient, createClient, type NewVersion, type Version } from '@autoflow/client';
import { buildRelease } from '@autoflow/function-host';
import { topology } from '@autoflow/retail-orders';
import { comparison, ratiosOf } from './comparison.js';
import { environment } from './environment.js';
import { percent, whole } from './figures.js';
import type { DemoPlatform } from './platform.js';
import type { Printer } from './printer.js';
import type { DemoReport, DemoRun } from './report.js';
import { rollBack } from './rollback.js';
import { runVersion, type RunOptions } from './run-version.js';
import type { DemoSource } from './source.js';

const PIPELINE = 'retail-orders';
/** The same for both versions, so that neither is given more work at once than it is built for: see `OPEN_EXECUTIONS` in the report. */
const OPEN_EXECUTIONS = 8;

export interface DemoOptions {
  readonly platform: DemoPlatform;
  readonly source: DemoSource;
  /** Invoices that each version gets. */
  readonly limit: number;
  readonly startedAt: Date;
  readonly out: Printer;
}

/**
 * The same invoices through the pipeline as written and through a better topology of it, one version after the other, each in a scope
 * of its own and after a warm-up; then a rollback. All of it through the admin API, by which it is also measured.
 */
export async function demo({ platform, source, limit, startedAt, out }: DemoOptions): Promise<DemoReport> {
  const client = createClient(platform.api);
  const common = { client, pipeline: PIPELINE, databaseUrl: platform.databaseUrl, source: source.settings, limit, openExecutions: OPEN_EXECUTIONS, out };
  const options: RunOptions = common;

  out.step('The pipeline as its author wrote it');
  const before = await runVersion(described(await registerPipeline(client, platform), out), options);

  out.step('A better topology, written by hand and registered over the API');
  const after = await runVersion(described(await registerBetter(client), out), options);

  out.step('Side by side');
  const equal = showComparison(before, after, out);

  out.step('And back again');
  const rollback = await rollBack(before.version, after.version, options);

  return {
    form: 'autoflow-demo/1',
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    environment: environment(platform.servers),
    source: { origin: source.origin, file: source.file, limit },
    pipeline: PIPELINE,
    runs: [before, after],
    equal,
    ratios: ratiosOf(before, after),
    rollback,
    notMeasured: NOT_MEASURED,
  };
}

const NOT_MEASURED = [
  'latency and cost at one and the same load: each version is given as much as it can take with the executions open at once that are stated',
  'the warm-up: instances are started and caches filled before the time is taken, for both versions alike',
  'money: costs are the measured times and sizes at dated list prices; nothing was billed',
];

async function registerPipeline(client: AutoFlowClient, { releases }: DemoPlatform): Promise<Version> {
  const { hash, specs } = await buildRelease(fileURLToPath(import.meta.resolve('@autoflow/retail-orders/pipeline')), releases);
  const spec = specs.find(({ name }) => name === PIPELINE);
  if (!spec) throw new Error(`the example's module does not export the pipeline ${PIPELINE}`);
  return (await client.pipelines.register({ spec: spec as never, release: hash, reason: 'demo' })).version;
}

async function registerBetter(client: AutoFlowClient): Promise<Version> {
  const body = { topology: topology('filter-early'), note: 'filter early, fused, in batches', reason: 'demo' } as NewVersion;
  return (await client.versions.register(PIPELINE, body)).version;
}

function described(version: Version, out: Printer): Version {
  const { stages, batch } = version.topology;
  out.fact(`${version.name}: ${stages.length} stages, ${batch.records === 1 ? 'one record' : `up to ${whole(batch.records)} records`} in an execution`);
  for (const { nodes, after } of stages) out.fact(`    ${after.length > 1 ? '⇉' : after.length === 1 ? '→' : ' '} ${nodes.join(' + ')}`);
  return version;
}

function showComparison(before: DemoRun, after: DemoRun, out: Printer): boolean {
  out.table(comparison(before, after));
  const { completed, filtered, dead, cancelled } = after.counts;
  out.fact(`${percent(filtered / (completed + filtered + dead + cancelled))} of the invoices are no sale and were filtered.`);
  const equal = before.digest === after.digest && before.sink.digest === after.sink.digest;
  if (equal) out.good('Every invoice has the same outcome, the same output and the same stored order under both.');
  else out.bad('The two versions do not agree, which must not happen. Please report it together with the JSON report (--json FILE).');
  return equal;
}
