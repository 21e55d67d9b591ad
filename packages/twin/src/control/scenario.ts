import type { Allocation } from '@autoflow/topology';
import type { PlanModel } from '../model/plan-model.js';
import { profileOfCounts } from '../traces/counts.js';
import { minutesOf, SPLITS, type FunctionCounts, type Split } from '../traces/functions.js';
import { expectedArrivals, lasting, rateAt, type RateProfile } from '../traces/profile.js';
import { uniform } from '../traces/random.js';
import { rateTrace } from '../traces/trace.js';
import { anyConditions, USUAL } from './conditions.js';
import { EPISODE_STEPS } from './environment.js';
import { randomPipeline, type RandomPipeline } from './random-pipeline.js';
import type { ControlledPipeline } from './tick.js';

/** One episode: a pipeline and the load that comes. */
export interface ControlScenario {
  readonly seed: number;
  /** The function whose load it is. */
  readonly trace: string;
  readonly pipeline: ControlledPipeline;
  readonly plan: PlanModel;
  /** Of an invocation of each stage, on average, at the size that it starts with. */
  readonly serviceMs: readonly number[];
  readonly profile: RateProfile;
  readonly arrivals: Float64Array;
  readonly ratePerSecond: number;
  /** Memory that the mean load keeps busy: cost is told as a multiple of it. */
  readonly referenceMb: number;
  readonly start: Allocation;
  /** The same pipeline under the load of just before, for what is tuned on the past. */
  readonly before?: () => ControlScenario;
}

export interface ScenarioOptions {
  readonly functions: readonly FunctionCounts[];
  readonly split: Split;
  readonly stages: { readonly least: number; readonly most: number };
  /** Of the service level and the interval, any instead of the usual: what is to decide everywhere has to have seen everything. */
  readonly varied?: boolean;
  /** Stages have several sizes of memory, and it matters which (see `PipelineConditions`). */
  readonly computing?: boolean;
}

/** Past the last decision, so that arrivals go on to the end. */
const durationOf = (intervalMs: number): number => (EPISODE_STEPS + 3) * intervalMs;
const MOST_INSTANCES = 48;
/** A minute of the trace takes so long in the episode; less where decisions come faster, for that is where loads change faster. */
const WARP_S = { least: 20, range: 70 };
/** Of 5-s parts of a minute. */
const NOISE = 0.5;
const INTERPOLATIONS = ['linear', 'step', 'noise'] as const;

/**
 * A random pipeline under a random window of a real function's day, faster by a random factor, with one of three ways to fill a minute:
 * per-minute counts alone would tell the agent what a minute begins with. The same seed gives the same scenario.
 */
export function randomScenario(
  seed: number,
  { functions, split, stages, varied = false, computing = false }: ScenarioOptions,
): ControlScenario {
  const random = uniform(Math.imul(seed, 7919) + 13);
  const conditions = varied ? anyConditions(uniform(Math.imul(seed, 104_729) + 29)) : USUAL;
  const made = randomPipeline(random, stages, { ...conditions, mostInstances: MOST_INSTANCES, computing });
  const durationMs = durationOf(conditions.intervalMs);
  const warp = Math.sqrt(conditions.intervalMs / USUAL.intervalMs);
  const { id, counts, before, minuteMs } = randomWindow(random, { functions, split }, durationMs, warp);
  const rates = scaleFor(counts, made, random);
  const scenario = (of: readonly number[], variant: number): ControlScenario => {
    const profile = profileOfCounts(
      of.map((count) => (rates(count) * minuteMs) / 1000),
      {
        intervalMs: minuteMs,
        interpolation: INTERPOLATIONS[seed % INTERPOLATIONS.length]!,
        seed: seed + variant,
        parts: Math.max(2, Math.round(minuteMs / 5000)),
        spread: NOISE,
      },
    );
    return scenarioOf(seed + variant, id, made, lasting(profile, durationMs));
  };
  return { ...scenario(counts, 0), before: () => scenario(before, 7_000_003) };
}

interface Window {
  readonly id: string;
  readonly counts: readonly number[];
  /** The minutes before it, as many where the day has them. */
  readonly before: readonly number[];
  readonly minuteMs: number;
}

/** A window in which something happens: not much quieter than the function's day. */
function randomWindow(
  random: () => number,
  { functions, split }: Pick<ScenarioOptions, 'functions' | 'split'>,
  durationMs: number,
  warp: number,
): Window {
  if (functions.length === 0) throw new RangeError('There are no functions to take a load from.');
  for (let tries = 0; tries < 10_000; tries++) {
    const one = functions[Math.floor(random() * functions.length)]!;
    const minuteMs = warp * (WARP_S.least + WARP_S.range * random()) * 1000;
    const minutes = minutesOf(one, split);
    const length = Math.ceil(durationMs / minuteMs);
    const from = Math.floor(random() * (minutes.length - length));
    const counts = minutes.slice(from, from + length);
    const mean = meanOf(counts);
    if (from < 0 || mean <= 0.5 || mean <= 0.3 * meanOf(one.perMinute)) continue;
    const start = SPLITS[split][0] + from;
    const before = start === 0 ? counts.slice(0, 1) : one.perMinute.slice(Math.max(0, start - length), start);
    return { id: one.id, counts, before, minuteMs };
  }
  throw new RangeError('No function has a window with load in it. Give some that are usable (see `isUsable`).');
}

/** Counts to rates per second: a few instances per stage on average, peaks of at most 6 times the mean, never more than the instances serve. */
function scaleFor(counts: readonly number[], { serviceMs }: RandomPipeline, random: () => number): (count: number) => number {
  const total = serviceMs.reduce((sum, ms) => sum + ms, 0);
  const perSecond = ((1.5 + 4.5 * random()) * 2000 * serviceMs.length) / (5 * total);
  const mean = meanOf(counts);
  const most = (0.85 * MOST_INSTANCES * 1000) / Math.max(...serviceMs);
  const peak = Math.min(Math.max(...counts) / mean, 6) * perSecond;
  const scale = Math.min(1, most / peak);
  return (count) => Math.min(count / mean, 6) * perSecond * scale;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The episode of a pipeline under a load of its own. */
export function scenarioOf(seed: number, trace: string, made: RandomPipeline, profile: RateProfile): ControlScenario {
  const { pipeline, plan, serviceMs, memoryMb } = made;
  const ratePerSecond = (expectedArrivals(profile) / durationOf(pipeline.intervalMs)) * 1000;
  const startRate = rateAt(profile, 0);
  return {
    seed,
    trace,
    pipeline,
    plan,
    serviceMs,
    profile,
    arrivals: Float64Array.from(rateTrace(trace, profile, 'poisson').arrivals(seed ^ 0x5bd1e995)),
    ratePerSecond,
    referenceMb: serviceMs.reduce((sum, ms, s) => sum + (ratePerSecond * ms * memoryMb[s]!) / 1000, 0),
    start: Object.fromEntries(
      pipeline.stages.map(({ name, concurrency: { min, max } }, s) => {
        const wanted = Math.ceil(startRate * (serviceMs[s]! / 1000) * 1.3);
        return [name, { memoryMb: memoryMb[s]!, concurrency: Math.max(min, Math.min(max, wanted)) }];
      }),
    ),
  };
}
