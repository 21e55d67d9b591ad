import { setTimeout as delay } from 'node:timers/promises';
import type { Fields } from '@autoflow/pipeline';
import { validateTopology } from '@autoflow/topology';
import { runCell, type Side } from '../baselines/cell.js';
import type { BenchPlatform, BenchVersion } from '../platform.js';
import { allocationOf, LINGER_MS, nameOf, OPEN, topologyOf, type TwinPlan } from './plans.js';
import type { Figures } from './predicted.js';

export interface TwinConditions {
  readonly saturatedSeconds: number;
  /** Longer where fewer records than this would come: a p95 of fifty is that of the third slowest. */
  readonly openSeconds: number;
  readonly fewestRecords: number;
  readonly warmUpSeconds: number;
  /** Executions of each version that is trained on, in a round, by how many are open at once: as load comes and goes. */
  readonly training: readonly { readonly open: number; readonly executions: number }[];
  /** Versions take turns: a machine that others share is not equally fast for minutes. */
  readonly rounds: number;
  /** Then it is fitted anew: an optimization, too, is fitted to what was measured lately. */
  readonly plansInRound: number;
}
export interface RealPlan {
  readonly measured: Figures;
  /** Records per second of the reference, saturated, just before and just after: how fast the machine was. */
  readonly reference: number;
  /** Of the open load. */
  readonly ratePerSecond: number;
}

/** Ends of executions, for each that is open, that tell a rate. */
const ENOUGH = 2.5;
/** Starts every instance and compiles its code. */
const WARM_UP_BATCH = 4;
/** Of what the twin thinks that a plan can do: an open load that queues now and then, and never for long. */
const OPEN_SHARE = 0.5;
/** Of the time of a plan: it is measured twice. */
const REFERENCE_SHARE = 0.6;
/** One batch in so many has one record, as feeders send them. */
const PROBE_EVERY = 20;
const METERED_WITHIN_MS = 2_500;
const MOST_ROWS = 20_000;
const MOST_RECORDS = 20_000;

/** Runs the versions as much as they can, in turns, so that they are measured: after a round of it, warm, as they and their servers are for most of their life. */
export async function trainOn(
  platform: BenchPlatform,
  plans: readonly TwinPlan[],
  { training, rounds }: TwinConditions,
  next: () => Fields,
) {
  const versions: (readonly [TwinPlan, BenchVersion])[] = [];
  for (const plan of plans) versions.push([plan, await versionOf(platform, plan)]);
  const round = async (): Promise<void> => {
    for (const [plan, version] of versions)
      for (const { open, executions } of training)
        await runThrough(
          platform,
          version,
          plan,
          { records: executions * plan.batch, seconds: Number.POSITIVE_INFINITY, probes: true },
          next,
          open,
        );
  };
  await round();
  const since = new Date();
  for (let i = 0; i < rounds; i++) await round();
  return rowsOf(platform, since);
}

function warmUp(platform: BenchPlatform, version: BenchVersion, plan: TwinPlan, next: () => Fields): Promise<number> {
  const amount = { records: 2 * OPEN * WARM_UP_BATCH, seconds: Number.POSITIVE_INFINITY };
  return runThrough(platform, version, { ...plan, batch: Math.min(plan.batch, WARM_UP_BATCH) }, amount, next, OPEN);
}

/** What was metered since then. */
async function rowsOf({ store, spec }: BenchPlatform, since: Date) {
  await delay(METERED_WITHIN_MS);
  const rows = await store.metrics.invocations({ pipeline: spec.name, limit: MOST_ROWS });
  return rows.filter(({ startedAt }) => startedAt >= since);
}

/** Records per second, saturated, after as long a time of the same: until then instances compile what they run, which versions do once in their life. */
export async function throughputOf(
  platform: BenchPlatform,
  version: BenchVersion,
  plan: TwinPlan,
  seconds: number,
  next: () => Fields,
): Promise<number> {
  await warmUp(platform, version, plan, next);
  const saturated = (): Promise<number> => runThrough(platform, version, plan, { records: MOST_RECORDS, seconds }, next, OPEN);
  await saturated();
  return saturated();
}

/** What plans are compared with: a version that the twin was fitted to. */
export interface Reference {
  readonly plan: TwinPlan;
  readonly version: BenchVersion;
}

export async function referenceOf(platform: BenchPlatform, plan: TwinPlan): Promise<Reference> {
  return { plan, version: await versionOf(platform, plan) };
}

/** The plan for real: warmed up, saturated, between two measurements of the reference, then under an open load. */
export async function measurePlan(
  platform: BenchPlatform,
  plan: TwinPlan,
  { reference, capacity }: { readonly reference: Reference; readonly capacity: number },
  conditions: TwinConditions,
  next: () => Fields,
): Promise<RealPlan> {
  const version = await versionOf(platform, plan);
  const before = await rateOf(platform, reference, conditions, next);
  const throughput = await throughputOf(platform, version, plan, conditions.saturatedSeconds, next);
  const after = await rateOf(platform, reference, conditions, next);
  const ratePerSecond = Number(openRate(plan, Math.min(capacity, throughput)).toPrecision(3));
  const side: Side = { name: nameOf(plan), version, batch: plan.batch, lingerMs: LINGER_MS, firstRate: ratePerSecond };
  const openSeconds = Math.max(conditions.openSeconds, Math.ceil(conditions.fewestRecords / ratePerSecond));
  const { latency, costPer1000 } = await runCell({
    platform,
    side,
    rate: ratePerSecond,
    repetition: 0,
    conditions: { ...CELL, seconds: openSeconds + conditions.warmUpSeconds, warmUpSeconds: conditions.warmUpSeconds },
    records: next,
  });
  if (latency === undefined || costPer1000 === undefined) throw new Error(`nothing was measured of ${nameOf(plan)}`);
  return { measured: { throughput, costPer1000: costPer1000.all, p95Ms: latency.p95 }, reference: (before + after) / 2, ratePerSecond };
}
/** Records per second of a version that is warm, once its instances are there again. */
async function rateOf(platform: BenchPlatform, { plan, version }: Reference, { saturatedSeconds }: TwinConditions, next: () => Fields) {
  const once = (records: number, seconds: number): Promise<number> => runThrough(platform, version, plan, { records, seconds }, next, OPEN);
  await once(2 * OPEN * plan.batch, Number.POSITIVE_INFINITY);
  return once(MOST_RECORDS, REFERENCE_SHARE * saturatedSeconds);
}

const CELL = { repetitions: 1, factor: 1, drainSeconds: 60, serviceLevelMs: Number.POSITIVE_INFINITY };

/** Records per second that make `OPEN_SHARE` of the executions that it can do: batches that are not full leave after their linger. */
function openRate({ batch }: TwinPlan, perSecond: number): number {
  const executions = (OPEN_SHARE * perSecond) / batch;
  const lingerS = batch > 1 ? LINGER_MS / 1000 : 0;
  // A batch has the record that began to linger and those that come meanwhile: executions = rate / (1 + rate · linger).
  const lingering = executions * lingerS < 1 ? executions / (1 - executions * lingerS) : Number.POSITIVE_INFINITY;
  return Math.min(executions * batch, lingering);
}

async function versionOf(platform: BenchPlatform, plan: TwinPlan): Promise<BenchVersion> {
  const topology = topologyOf(plan);
  const problems = validateTopology(platform.spec, topology);
  if (problems.length > 0) throw new Error(`${nameOf(plan)} is not legal: ${JSON.stringify(problems)}`);
  return platform.version(topology, allocationOf(plan));
}

interface Amount {
  readonly records: number;
  /** After so long no execution is begun any more, once enough have ended to tell a rate. */
  readonly seconds: number;
  /** Some batches have one record, so that what a batch costs is told from what a record costs; where nothing is fitted, all are full. */
  readonly probes?: boolean;
}

/** Records per second, once all executions are open and until they no longer are. */
async function runThrough(
  platform: BenchPlatform,
  version: BenchVersion,
  { batch }: TwinPlan,
  { records, seconds, probes = false }: Amount,
  next: () => Fields,
  width: number,
): Promise<number> {
  const ends: { readonly at: number; readonly records: number }[] = [];
  const startedAt = performance.now();
  let [left, begun] = [records, 0];
  const isOver = (): boolean => left <= 0 || (performance.now() - startedAt > 1000 * seconds && ends.length >= ENOUGH * width);
  const one = async (): Promise<void> => {
    while (!isOver()) {
      const size = Math.min(left, probes && batch > 1 && begun++ % PROBE_EVERY === 0 ? 1 : batch);
      left -= size;
      await platform.run(
        await platform.admit(
          version,
          Array.from({ length: size }, () => unique(platform, next())),
        ),
      );
      ends.push({ at: performance.now(), records: size });
    }
  };
  await Promise.all(Array.from({ length: width }, one));
  const steady = ends.slice(Math.floor(0.1 * ends.length), Math.max(2, ends.length - width));
  const counted = steady.slice(1).reduce((sum, end) => sum + end.records, 0);
  return (1000 * counted) / (steady.at(-1)!.at - steady[0]!.at);
}

let number = 0;
/** The same invoices come again and again: each under a key of its own. */
function unique({ spec }: BenchPlatform, fields: Fields): Fields {
  return { ...fields, [spec.key]: `${String(fields[spec.key])}-${number++}` };
}
