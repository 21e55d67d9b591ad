/** One measurement: one side under one rate, for some time, from an idle stack to an idle stack. */
import {
  clockOffset,
  measure,
  offer,
  outcomesOf,
  runMark,
  storedOutcomes,
  systemClock,
  type Measured,
  type Summary,
} from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import { constant, rateTrace } from '@autoflow/twin';
import type { BenchPlatform, BenchVersion, ExecutionDoor } from '../platform.js';
import { DirectDoor } from './direct-door.js';

export interface Side {
  readonly name: string;
  readonly version: BenchVersion;
  /** Records per execution; one that is not full leaves after `lingerMs`. */
  readonly batch: number;
  readonly lingerMs: number;
  readonly door?: ExecutionDoor;
  /** Records per second at which its sweep begins. */
  readonly firstRate: number;
}

export interface Conditions {
  readonly repetitions: number;
  readonly seconds: number;
  /** Of them, at the start: neither rate nor latency. */
  readonly warmUpSeconds: number;
  /** From one rate to the next. */
  readonly factor: number;
  readonly drainSeconds: number;
  /** On p99. */
  readonly serviceLevelMs: number;
}

export interface Cell extends Measured {
  readonly side: string;
  /** Nominal, records per second; arrivals are Poisson. */
  readonly rate: number;
  readonly repetition: number;
  readonly lateness?: Summary;
  readonly costPer1000?: { readonly all: number; readonly withoutActions: number };
  readonly utilisation?: { readonly memory: number; readonly instances: number };
}

export interface CellOptions {
  readonly platform: BenchPlatform;
  readonly side: Side;
  readonly rate: number;
  readonly repetition: number;
  readonly conditions: Conditions;
  readonly records: () => Fields;
}

export async function runCell({ platform, side, rate, repetition, conditions, records }: CellOptions): Promise<Cell> {
  const { store, spec } = platform;
  const mark = runMark();
  const scope = `load-${mark.text.slice(1, -1)}`;
  const clockOffsetMs = await clockOffset(store.ended);
  const door = new DirectDoor({ platform, side, scope, mark });
  const record = (number: number, intendedMs: number): Fields => {
    const fields = records();
    return { ...fields, [spec.key]: mark.stamp(String(fields[spec.key]), number, intendedMs) };
  };
  // The same arrivals for every side.
  const trace = rateTrace('poisson', constant(rate, conditions.seconds * 1000), 'poisson');
  const offered = await offer({ trace, seed: 1 + repetition, record, submitter: door, clock: systemClock });
  const { startedAt } = offered;
  const outcomes = storedOutcomes(store.ended, { pipeline: spec.name, scope, mark, startedAt, clockOffsetMs });
  const ended = outcomesOf({ outcomes, offered, drainMs: conditions.drainSeconds * 1000 });
  const measured = await measure(ended, { mark, offered, clockOffsetMs, warmUpMs: conditions.warmUpSeconds * 1000 });
  await untilIdle(() => outcomes.areAll(offered.accepted));
  const metrics = await metricsOf(platform, side, scope, offered.startedAt);
  return {
    side: side.name,
    rate,
    repetition,
    ...measured,
    ...(offered.lateness && { lateness: offered.lateness }),
    ...metrics,
  };
}

/** What a saturated side left open must not burden the next cell; what does not end in this time stays, and is told as unfinished. */
async function untilIdle(isIdle: () => Promise<boolean>): Promise<void> {
  for (const deadline = systemClock.now() + IDLE_WITHIN_MS; systemClock.now() < deadline && !(await isIdle());)
    await systemClock.sleepUntil(systemClock.now() + 1000);
}
const IDLE_WITHIN_MS = 300_000;

/** After the metering has written what it holds; cost counts the whole cell, its drain included. */
async function metricsOf({ store, spec }: BenchPlatform, { version }: Side, scope: string, from: number) {
  const query = {
    pipeline: spec.name,
    from: new Date(from - 1000),
    to: new Date(Date.now() + 1000),
    by: 'version',
    version: version.name,
    scope,
  } as const;
  await systemClock.sleepUntil(systemClock.now() + METERING_WRITES_WITHIN_MS);
  const [row] = await store.metrics.metrics(query);
  return { ...(row?.costPer1000 && { costPer1000: row.costPer1000 }), ...(row?.utilisation && { utilisation: row.utilisation }) };
}
const METERING_WRITES_WITHIN_MS = 2_000;
