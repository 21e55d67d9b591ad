import { setTimeout } from 'node:timers/promises';
import type { OptimizationDetail, OptimizationQuestion, Version } from '@autoflow/client';
import { CliError } from '../errors.js';
import { ms, percent, usd } from '../format.js';
import type { DemoRun } from './report.js';
import { backfill, METERED_AFTER_MS, type Load, measure } from './run-version.js';

/** A version as written takes one record at a time, which cannot tell what a batch costs from what a record costs: a few go in batches. */
const PROBES = { batchRecords: 20, batches: 15 };
const FEW_PROBES = { batchRecords: 8, batches: 8 };
/** Where the measurements do not do, they are made again before it is given up, on twice as many invoices each time. */
const ATTEMPTS = 3;
/** The version is to carry so many times what the one before did. */
const TIMES = 4;
/** Of the service level that the fixed constants of the example name. */
const P99_MS = 2_000;
/** A canary of minutes shows only what is clearly within the guardrail: p95 in it is to be so many times that of the version as written. */
const P95_IN_ROLLOUT = 0.75;
const SEARCH_SECONDS = 20;
const SHORT_SECONDS = 5;
const POLL_MS = 300;

/**
 * The version that AutoFlow proposes in place of the stable one, from what it has measured, and registers: an optimization as anybody may ask for it.
 * It is meant for more load than `ratePerSecond`, at which it will be rolled out. Throws with its reason when it would rather keep what runs.
 */
export async function findBetter(
  written: Version,
  load: Load,
  { measured }: Pick<DemoRun, 'measured'>,
  { ratePerSecond, short }: { readonly ratePerSecond: number; readonly short: boolean },
): Promise<Found> {
  for (let attempt = 1, { scope } = measured; ; attempt++) {
    if (attempt > 1) {
      scope = `${measured.scope}-${attempt}`;
      await measure(written, { ...load, scope }, measured.invoices * 2 ** (attempt - 1));
    }
    await measureBatches(written, load, short ? FEW_PROBES : PROBES, attempt);
    const began = performance.now();
    const optimization = await optimize(load, {
      version: written.name,
      scope,
      seconds: short ? SHORT_SECONDS : SEARCH_SECONDS,
      rollout: { ratePerSecond, p95: P95_IN_ROLLOUT },
    });
    const { registered, reason, state } = optimization;
    const seconds = (performance.now() - began) / 1000;
    if (registered !== undefined) return { version: await load.client.versions.show(load.pipeline, registered), optimization, seconds };
    if (attempt === ATTEMPTS) throw new CliError('DEMO_NOTHING_BETTER', `No better version was registered: ${reason ?? state}`);
  }
}

async function measureBatches(
  { name: version }: Version,
  load: Load,
  { batchRecords, batches }: typeof PROBES,
  attempt: number,
): Promise<void> {
  const limit = batches * batchRecords;
  const what = `invoices again in batches of ${batchRecords}, to tell what a batch costs from what a record costs`;
  await backfill(what, { ...load, scope: `${load.scope}-batches-${attempt}`, limit, batchRecords, version });
  await setTimeout(METERED_AFTER_MS, undefined, { signal: load.signal });
  load.out.fact(`${limit} ${what}.`);
}

/** Asks for it and shows how it comes to what it comes to. */
async function optimize({ client, pipeline, out, signal }: Load, asked: OptimizationQuestion): Promise<OptimizationDetail> {
  const { id } = await client.optimizations.start(pipeline, { ...asked, times: TIMES, p99Ms: P99_MS, reason: 'demo' });
  for (let shown = 0; ; await setTimeout(POLL_MS, undefined, { signal })) {
    const now = await client.optimizations.show(pipeline, id);
    for (const { step, reason } of now.decisions.slice(shown)) out.fact(`${step}: ${reason}`);
    shown = now.decisions.length;
    if (now.state !== 'running') return now;
    const { step, about } = now.progress ?? {};
    out.progress(`optimizing: ${about === undefined ? (step ?? 'begins') : `${about} searches`}`);
  }
}

export interface Found {
  readonly version: Version;
  readonly optimization: OptimizationDetail;
  readonly seconds: number;
}

/** What is said of it before it runs. */
export function predictionOf({ optimization: { found, allocated, ratePerSecond = 0 }, seconds }: Found): string {
  const { costPer1000, latencyMs } = allocated?.predicted ?? found!.proposal!.predicted;
  const { rollout } = found!;
  const lead = found!.running ? 1 - costPer1000.all.mean / found!.running.costPer1000.all.mean : undefined;
  const inRollout =
    rollout?.p95Ms === undefined ? '' : `; with the few of a canary's arm ${ms(rollout.p95Ms)}, and ${ms(rollout.runningP95Ms)} as written`;
  return `Proposed in ${seconds.toFixed(0)} s. Predicted at ${ratePerSecond.toFixed(0)} records/s: ${usd(costPer1000.all.mean)} for 1,000 (${percent(lead)} less), p95 ${ms(latencyMs.p95.mean)}${inRollout}.`;
}
