/** One measurement: one side under one rate, for some time, from an idle stack to an idle stack. */
import type { Measured, Summary } from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import { constant, rateTrace } from '@autoflow/twin';
import { meteredOf, underLoad, untilIdle } from '../cells/load.js';
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
  /** Nominal mean, records per second; arrivals are Poisson. */
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
  const { seconds, warmUpSeconds, drainSeconds } = conditions;
  const loaded = await underLoad({
    platform,
    // The same arrivals for every side.
    trace: rateTrace('poisson', constant(rate, seconds * 1000), 'poisson'),
    seed: 1 + repetition,
    warmUpMs: warmUpSeconds * 1000,
    drainMs: drainSeconds * 1000,
    records,
    door: (run) => new DirectDoor({ platform, side, ...run }),
  });
  await untilIdle(loaded);
  const { measured, offered, scope } = loaded;
  return {
    side: side.name,
    rate,
    repetition,
    ...measured,
    ...(offered.lateness && { lateness: offered.lateness }),
    ...(await meteredOf(platform, side.version.name, scope, offered.startedAt)),
  };
}

export function lineOf({ offeredRate, achievedRate, latency, costPer1000, backlog, invalid }: Cell): string {
  const times = latency && `p50 ${latency.p50.toFixed(0)} ms, p99 ${latency.p99.toFixed(0)} ms`;
  const cost = costPer1000 && `$${costPer1000.all.toPrecision(3)} per 1,000`;
  return [`offered ${offeredRate.toFixed(1)}/s, achieved ${achievedRate.toFixed(1)}/s`, times, cost, `backlog ${backlog}`, ...invalid]
    .filter(Boolean)
    .join(' · ');
}
