import {
  controlledPlan,
  durationOf,
  expectedArrivals,
  rateTrace,
  type ControlledPipeline,
  type ControlScenario,
  type RateProfile,
  type Trace,
} from '@autoflow/twin';

/** A Black Friday: six times the rate within two minutes, and down after ten. */
export interface Surge {
  readonly trace: Trace;
  readonly profile: RateProfile;
  readonly intervalMs: number;
  /** Of the trace, in milliseconds: the mean of before is taken from the first to the second, and the surge is over at the third. */
  readonly settledMs: number;
  readonly beginsMs: number;
  readonly endsMs: number;
}
/** In minutes. */
export interface Phases {
  readonly settling: number;
  readonly before: number;
  readonly rising: number;
  readonly high: number;
  readonly after: number;
}

const MINUTE = 60_000;
const TIMES = 6;

export function surgeOf(perSecond: number, { settling, before, rising, high, after }: Phases): Surge {
  const piece = (minutes: number, from: number, to = from) => ({
    durationMs: minutes * MINUTE,
    from: from * perSecond,
    to: to * perSecond,
  });
  const profile = [piece(settling + before, 1), piece(rising, 1, TIMES), piece(high, TIMES), piece(after, 1)];
  return {
    profile,
    trace: rateTrace('black-friday', profile, 'poisson'),
    intervalMs: 15_000,
    settledMs: settling * MINUTE,
    beginsMs: (settling + before) * MINUTE,
    endsMs: (settling + before + rising + high) * MINUTE,
  };
}

/** The same in the twin, for what is tuned beforehand: with the services that were measured. */
export function scenarioOfSurge(
  { profile, trace, intervalMs }: Surge,
  stages: readonly {
    readonly name: string;
    readonly after: readonly number[];
    readonly ms: number;
    readonly cv: number;
    /** Invocations for a batch: less than one behind a filter. */
    readonly perBatch: number;
    readonly max: number;
  }[],
  {
    memoryMb,
    sloMs,
    coldStartMs,
    seed,
  }: { readonly memoryMb: number; readonly sloMs: number; readonly coldStartMs: number; readonly seed: number },
): { readonly scenario: ControlScenario; readonly intervals: number } {
  const pipeline: ControlledPipeline = {
    stages: stages.map(({ name, after, max }, s) => ({
      name,
      after,
      followers: stages.flatMap((other, i) => (other.after.includes(s) ? [i] : [])),
      concurrency: { min: 1, max },
      memoryMb: [memoryMb],
    })),
    sloMs,
    coldStartMs,
    intervalMs,
  };
  const durationMs = durationOf(profile);
  const ratePerSecond = (1000 * expectedArrivals(profile)) / durationMs;
  const serviceMs = stages.map(({ ms }) => ms);
  const scenario: ControlScenario = {
    seed,
    trace: trace.name,
    pipeline,
    plan: controlledPlan(
      stages.map(({ name, after, ms, cv, perBatch }) => ({ name, after, serviceMs: ms, cv, perBatch })),
      coldStartMs,
    ),
    serviceMs,
    profile,
    arrivals: Float64Array.from(trace.arrivals(seed)),
    ratePerSecond,
    referenceMb: stages.reduce((sum, { ms, perBatch }) => sum + (ratePerSecond * perBatch * ms * memoryMb) / 1000, 0),
    start: Object.fromEntries(stages.map(({ name }) => [name, { memoryMb, concurrency: 2 }])),
  };
  return { scenario, intervals: Math.floor(durationMs / intervalMs) - 1 };
}
