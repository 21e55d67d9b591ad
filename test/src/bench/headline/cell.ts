/** One measurement of the headline: one side under one load, through the inbox and the feeder, from an idle stack to an idle stack. */
import type { Fields } from '@autoflow/pipeline';
import { constant, rateTrace, type Trace } from '@autoflow/twin';
import type { Cell as RateCell } from '../baselines/cell.js';
import { heldMbS, latenessOf } from '../cells/control.js';
import { inboxDoor, meteredOf, METERED_WITHIN_MS, underLoad, untilIdle } from '../cells/load.js';
import type { HeadlineConditions } from './conditions.js';
import { activate, type HeadlineSide, type Rig } from './side.js';

export interface HeadlineCell extends RateCell {
  readonly version: string;
  /** `constant` or the name of a trace. */
  readonly load: string;
  /** Memory-seconds of all instances that there were, MB · s, for 1,000 records. */
  readonly heldMbSPer1000?: number;
  /** Share of the records past the service level. */
  readonly late: number;
  /** Changes of the allocation, by who made them. */
  readonly changes: { readonly [actor: string]: number };
  readonly invocations: readonly SampledInvocation[];
}

/** What the regression of execution time on resources is made from. */
export interface SampledInvocation {
  readonly stage: string;
  readonly ms: number;
  readonly records: number;
  readonly memoryMb: number;
  readonly cpuMs: number;
  readonly runQueueMs: number;
}

const SAMPLED = 120;
const LOOKED_AT = 20_000;

export function constantLoad(rate: number, seconds: number): Trace {
  return rateTrace('constant', constant(rate, seconds * 1000), 'poisson');
}

/** Of a cell: long enough for a tail. */
export function constantCell(
  rate: number,
  { seconds, warmUpSeconds, fewestRecords }: Pick<HeadlineConditions, 'seconds' | 'warmUpSeconds' | 'fewestRecords'>,
): Trace {
  return constantLoad(rate, Math.max(seconds, Math.ceil(warmUpSeconds + fewestRecords / rate)));
}

/** The same arrivals for every side of a repetition. */
export async function measureUnder(
  rig: Rig,
  side: HeadlineSide,
  trace: Trace,
  repetition: number,
  records: () => Fields,
): Promise<HeadlineCell> {
  const { platform, sql, conditions } = rig;
  const { warmUpSeconds, drainSeconds } = conditions;
  await activate(rig, side);
  const from = new Date();
  const loaded = await underLoad({
    platform,
    trace,
    seed: 1 + repetition,
    warmUpMs: warmUpSeconds * 1000,
    drainMs: drainSeconds * 1000,
    records,
    door: (run) => inboxDoor(platform, run),
  });
  await untilIdle(loaded);
  const { measured, offered, scope } = loaded;
  const metered = await meteredOf(platform, side.version.name, scope, offered.startedAt);
  const to = new Date(Date.now() + METERED_WITHIN_MS);
  const held = await heldMbS(platform, sql, side.version.name, from, to);
  return {
    side: side.name,
    version: side.version.name,
    load: trace.name,
    rate: (1000 * trace.expected) / trace.durationMs,
    repetition,
    ...measured,
    ...(offered.lateness && { lateness: offered.lateness }),
    ...metered,
    ...(offered.accepted > 0 && { heldMbSPer1000: (1000 * held) / offered.accepted }),
    late: (await latenessOf(platform, sql, scope, conditions.serviceLevelMs)).late,
    changes: await changesOf(rig, side, from),
    invocations: await sampled(rig, side, from),
  };
}

async function changesOf({ platform, sql }: Rig, { version }: HeadlineSide, from: Date): Promise<{ [actor: string]: number }> {
  const { rows } = await sql.query<{ actor: string; n: number }>(
    `select actor, count(*)::int as n from autoflow.audit
      where pipeline = $1 and action = 'allocation.set' and after ->> 'version' = $2 and at >= $3 group by actor`,
    [platform.spec.name, version.name, from],
  );
  return Object.fromEntries(rows.map(({ actor, n }) => [actor, n]));
}

/** Of those that went well, evenly over the time. */
async function sampled({ platform: { store, spec } }: Rig, { version }: HeadlineSide, from: Date): Promise<SampledInvocation[]> {
  const rows = await store.metrics.invocations({ pipeline: spec.name, version: version.name, limit: LOOKED_AT });
  const own = rows.filter(({ startedAt, outcome, cold }) => startedAt >= from && outcome === 'ok' && !cold);
  const every = Math.max(1, Math.ceil(own.length / SAMPLED));
  return own
    .filter((_, i) => i % every === 0)
    .map(({ stage, durationMs, recordsIn, memoryMb, cpuMs, runQueueMs }) => ({
      stage,
      ms: durationMs,
      records: recordsIn,
      memoryMb,
      cpuMs,
      runQueueMs,
    }));
}

export function lineOfCell({
  offeredRate,
  achievedRate,
  latency,
  costPer1000,
  utilisation,
  backlog,
  unfinished,
  changes,
  invalid,
}: HeadlineCell): string {
  return [
    `offered ${offeredRate.toFixed(1)}/s, achieved ${achievedRate.toFixed(1)}/s`,
    latency && `mean ${latency.mean.toFixed(0)} ms, p95 ${latency.p95.toFixed(0)} ms, p99 ${latency.p99.toFixed(0)} ms`,
    costPer1000 && `$${costPer1000.all.toPrecision(3)} per 1,000`,
    utilisation && `busy ${(100 * utilisation.instances).toFixed(0)} %`,
    backlog > 0 && `backlog ${backlog}`,
    unfinished > 0 && `${unfinished} without an outcome`,
    Object.keys(changes).length > 0 && `allocation ${JSON.stringify(changes)}`,
    ...invalid,
  ]
    .filter((part) => part !== undefined && part !== false)
    .join(' · ');
}
