import { availableParallelism } from 'node:os';
import type { Version } from '@autoflow/client';
import { percent } from '../format.js';
import type { RunningStack } from '../local/running-stack.js';
import { findBetter, predictionOf } from './better.js';
import { comparison, ratiosOf } from './comparison.js';
import { environment } from './environment.js';
import { whole } from './figures.js';
import type { Printer } from './printer.js';
import type { DemoReport, DemoRun } from './report.js';
import { mustBeFree, rollOut, rolloutRate } from './roll-out.js';
import { movingTraffic, rollBack } from './rollback.js';
import { forSeconds, type Load, runVersion, warmUp } from './run-version.js';
import type { DemoSource } from './source.js';

const PIPELINE = 'retail-orders';
/** Stages have four instances each, so more executions at once than this only wait; with one record each they need to be four times as many. */
const WIDTH = Math.min(4, Math.max(2, availableParallelism()));
/** Without a limit: as many invoices as the version as written does in this time, judged by its warm-up. */
const RUN_SECONDS = 30;
/** Then the faster version is also measured on more invoices than that, for so long. */
const LONGER_SECONDS = 15;

export interface DemoOptions {
  readonly stack: Pick<RunningStack, 'client' | 'ingestClient' | 'databaseUrl' | 'pipelines'>;
  readonly servers: DemoReport['environment']['servers'];
  readonly source: DemoSource;
  /** Invoices that each version gets; undefined: so many that the demo takes about five minutes. */
  readonly limit: number | undefined;
  readonly startedAt: Date;
  readonly out: Printer;
  /** Ends the demo at its next step. */
  readonly signal: AbortSignal;
}

/**
 * The loop in small: the pipeline as written is measured, a better version is found in what was measured, and has to earn the traffic of a load in a
 * rollout; the same invoices go through both, each in a scope of its own; then a rollback by hand. All of it through the APIs, by which it is also measured.
 */
export async function demo({ stack, servers, source, limit, startedAt, out, signal }: DemoOptions): Promise<DemoReport> {
  const { client, ingestClient: ingest, databaseUrl } = stack;
  const scope = `demo-${startedAt.getTime().toString(36)}`;
  const where = { client, ingest, pipeline: PIPELINE, databaseUrl };
  const load: Load = { ...where, source: source.settings, scope, openExecutions: 4 * WIDTH, out, signal };

  await mustBeFree(load);
  out.step('The pipeline as its author wrote it');
  const written = describe(await asRegistered(stack), out);
  const { perSecond, records } = await warmUp(written, load, limit);
  const invoices = limit ?? forSeconds(RUN_SECONDS, perSecond);
  const before = await runVersion(written, load, { limit: invoices, warmedUp: records });

  out.step('A better version, from what was measured: fitted, searched, certified and registered');
  const short = limit !== undefined;
  const ratePerSecond = rolloutRate(before.metrics.throughput, short);
  const found = await findBetter(written, load, before, { ratePerSecond, short });
  const better = describe(found.version, out);
  out.fact(predictionOf(found));

  const { rollout, after, equal, rollback } = await movingTraffic(written, load, async () => {
    out.step('It has to earn the traffic: shadow, canary, and promoted or taken back');
    const rollout = await rollOut(better, written, load, ratePerSecond, short);

    out.step('The same invoices through it');
    const wide = { ...load, openExecutions: WIDTH };
    const warm = await warmUp(better, wide, limit);
    const size = { limit: invoices, warmedUp: warm.records, ...(limit === undefined && { longerSeconds: LONGER_SECONDS }) };
    const after = await runVersion(better, wide, size);

    out.step('Side by side');
    const equal = compare(before, after, out);

    out.step('And back again, by hand');
    return { rollout, after, equal, rollback: await rollBack(written, better, load, invoices) };
  });

  return {
    form: 'autoflow-demo/2',
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    environment: environment(servers),
    source: { origin: source.origin, file: source.file, invoices },
    pipeline: PIPELINE,
    runs: [before, after],
    equal,
    ratios: ratiosOf(before, after),
    optimization: { id: found.optimization.id, seconds: found.seconds, decisions: found.optimization.decisions },
    rollout,
    rollback,
    notMeasured: NOT_MEASURED,
  };
}

const NOT_MEASURED = [
  'latency and cost at one and the same load: each version is given as much as it can take with so many executions open at once',
  'waiting for a place among the open executions: latency begins when a record is taken into its batch',
  'the warm-up: instances are started and connections opened before the time is taken, for both versions alike',
  'the gain in a long run: the canary of a demo is minutes long, of one kind of load, on one machine',
  'money: costs are measured times and sizes at dated list prices; nothing was billed',
];

async function asRegistered({ client, pipelines }: DemoOptions['stack']): Promise<Version> {
  const { version } = pipelines.find(({ name }) => name === PIPELINE) ?? { version: 'v1' };
  return client.versions.show(PIPELINE, version);
}

function describe(version: Version, out: Printer): Version {
  const { stages, batch } = version.topology;
  out.fact(
    `${version.name}: ${stages.length} ${stages.length === 1 ? 'stage' : 'stages'}, ${batch.records === 1 ? 'one record' : `up to ${whole(batch.records)} records`} in an execution`,
  );
  stages.forEach(({ nodes, after }, i) => {
    const isBeside = i > 0 && after.join() === stages[i - 1]?.after.join();
    out.fact(`  ${isBeside ? '∥' : i === 0 ? ' ' : '→'} ${nodes.join(' + ')}`);
  });
  return version;
}

/** Prints the table; answers whether the two agree in every outcome, output and stored order. */
function compare(before: DemoRun, after: DemoRun, out: Printer): boolean {
  out.table(comparison(before, after));
  const { completed, filtered, dead, cancelled } = after.counts;
  out.fact(`${percent(filtered / (completed + filtered + dead + cancelled))} of these invoices are no sale and were filtered.`);
  const equal = before.digest === after.digest && before.sink.digest === after.sink.digest;
  if (equal) out.good('Every invoice has the same outcome, the same output and the same stored order under both.');
  else out.bad('The two versions do not agree, which must not happen. Please report it, with the JSON report (--json FILE).');
  return equal;
}
