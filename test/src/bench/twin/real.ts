import { setTimeout as delay } from 'node:timers/promises';
import type { Fields } from '@autoflow/pipeline';
import { runCell, type Side } from '../baselines/cell.js';
import { saturate, type BenchPlatform, type BenchVersion } from '../platform.js';
import { allocationOf, LINGER_MS, nameOf, topologyOf, type TwinPlan } from './plans.js';
import type { Figures } from './predicted.js';

export interface TwinConditions {
  readonly saturatedSeconds: number;
  readonly openSeconds: number;
  readonly warmUpSeconds: number;
  /** Of each version that is trained on. */
  readonly trainingRecords: number;
}
export interface RealPlan {
  readonly measured: Figures;
  /** Of the open load. */
  readonly ratePerSecond: number;
}

/** Executions that are open at once where as much is done as can be, for each instance that there is: none waits for work. */
const OPEN_PER_INSTANCE = 1.5;
const LEAST_OPEN = 4;
/** Starts every instance and compiles its code. */
const WARM_UP_BATCH = 4;
/** Of what the twin thinks that a plan can do: an open load that queues now and then, and never for long. */
const OPEN_SHARE = 0.5;
/** One batch in so many has one record, as feeders send them. */
const PROBE_EVERY = 20;
const METERED_WITHIN_MS = 2_500;
const MOST_ROWS = 20_000;

/** Runs a version as much as it can, so that it is measured. */
export async function trainOn(
  platform: BenchPlatform,
  plan: TwinPlan,
  { trainingRecords }: TwinConditions,
  next: () => Fields,
): Promise<void> {
  const version = await versionOf(platform, plan);
  await runThrough(platform, version, plan, Math.max(trainingRecords, 20 * plan.batch), next, 4);
}

/** What metering has written so far. */
export async function rowsOf({ store, spec }: BenchPlatform) {
  await delay(METERED_WITHIN_MS);
  return store.metrics.invocations({ pipeline: spec.name, limit: MOST_ROWS });
}

/** The plan for real: warmed up, saturated, then under an open load. */
export async function measurePlan(
  platform: BenchPlatform,
  plan: TwinPlan,
  capacity: number,
  conditions: TwinConditions,
  next: () => Fields,
): Promise<RealPlan> {
  const version = await versionOf(platform, plan);
  const width = widthOf(plan);
  await runThrough(platform, version, { ...plan, batch: Math.min(plan.batch, WARM_UP_BATCH) }, 2 * width * WARM_UP_BATCH, next);
  const records = Math.max(2.5 * width * plan.batch, Math.ceil(capacity * conditions.saturatedSeconds));
  const throughput = await runThrough(platform, version, plan, records, next);
  const ratePerSecond = Number((OPEN_SHARE * Math.min(capacity, throughput)).toPrecision(3));
  const side: Side = { name: nameOf(plan), version, batch: plan.batch, lingerMs: LINGER_MS, firstRate: ratePerSecond };
  const { latency, costPer1000 } = await runCell({
    platform,
    side,
    rate: ratePerSecond,
    repetition: 0,
    conditions: { ...OPEN, seconds: conditions.openSeconds + conditions.warmUpSeconds, warmUpSeconds: conditions.warmUpSeconds },
    records: next,
  });
  if (latency === undefined || costPer1000 === undefined) throw new Error(`nothing was measured of ${nameOf(plan)}`);
  return { measured: { throughput, costPer1000: costPer1000.all, p95Ms: latency.p95 }, ratePerSecond };
}
const OPEN = { repetitions: 1, factor: 1, drainSeconds: 60, serviceLevelMs: Number.POSITIVE_INFINITY };

function versionOf(platform: BenchPlatform, plan: TwinPlan): Promise<BenchVersion> {
  return platform.version(topologyOf(plan), allocationOf(plan));
}

/** Records per second, once all executions are open and until they no longer are. */
async function runThrough(
  platform: BenchPlatform,
  version: BenchVersion,
  plan: TwinPlan,
  records: number,
  next: () => Fields,
  width = widthOf(plan),
): Promise<number> {
  const { batch } = plan;
  const batches: Fields[][] = [];
  for (let left = records; left > 0;) {
    const size = Math.min(left, batch > 1 && batches.length % PROBE_EVERY === 0 ? 1 : batch);
    batches.push(Array.from({ length: size }, () => unique(platform, next())));
    left -= size;
  }
  const ends: { readonly at: number; readonly records: number }[] = [];
  await saturate(batches, width, async (own) => {
    await platform.run(await platform.admit(version, own));
    ends.push({ at: performance.now(), records: own.length });
  });
  const steady = ends.slice(Math.floor(0.1 * ends.length), Math.max(2, ends.length - width));
  const counted = steady.slice(1).reduce((sum, end) => sum + end.records, 0);
  return (1000 * counted) / (steady.at(-1)!.at - steady[0]!.at);
}

function widthOf(plan: TwinPlan): number {
  return Math.max(LEAST_OPEN, Math.ceil(OPEN_PER_INSTANCE * plan.concurrency * topologyOf(plan).stages.length));
}

let number = 0;
/** The same invoices come again and again: each under a key of its own. */
function unique({ spec }: BenchPlatform, fields: Fields): Fields {
  return { ...fields, [spec.key]: `${String(fields[spec.key])}-${number++}` };
}
