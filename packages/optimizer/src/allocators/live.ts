/** What is asked of an allocator that runs a live pipeline, as plain data: it may be answered in another thread. */
import { controlledPlan, ControlState, LONG_PEAK, uniform } from '@autoflow/twin';
import type { ControlledPipeline, ControlScenario, ControlTick, StageTarget } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { runEpisode, scoreAt, type Episode } from './episode.js';

/** A pipeline and what its latest intervals showed, the oldest first. */
export interface Observed {
  readonly pipeline: ControlledPipeline;
  /** Time of an invocation on an instance before these intervals, and its coefficient of variation, by stage. */
  readonly services: readonly { readonly ms: number; readonly cv: number }[];
  readonly ticks: readonly ControlTick[];
}

export interface Decision {
  /** By stage. */
  readonly targets: readonly StageTarget[];
  readonly reasons: readonly string[];
  /** Why another rule than asked decided. */
  readonly leftTo?: string;
}

/** Intervals that a decision may depend on, and decisions: of these the last ones are made again. */
export const REMEMBERED = LONG_PEAK;
const DECIDED = 24;

/** What an allocator wants for the interval after the last one that was observed. The same for the same ticks, whoever asks. */
export function decideOn({ pipeline, services, ticks }: Observed, allocator: Allocator): Decision {
  const state = new ControlState(
    pipeline,
    services.map(({ ms }) => ms),
  );
  const controller = allocator.start(pipeline);
  let targets: readonly StageTarget[] = [];
  const known = ticks.slice(-REMEMBERED);
  known.forEach((tick, i) => {
    state.observe(tick);
    if (i >= known.length - DECIDED) targets = controller.decide(state);
  });
  const leftTo = controller.leftTo?.();
  return { targets, reasons: targets.map((_, s) => controller.explain(s)), ...(leftTo !== undefined && { leftTo }) };
}

export interface Compared extends Episode {
  readonly score: number;
}

/** A longer past is cut: so many are simulated in two seconds for each allocator. */
const MOST_INVOCATIONS = 1_000_000;

/** What each allocator would have made of the arrivals that were observed, in the twin. It is about as many intervals as `playedOf` says. */
export function compareOn(observed: Observed, allocators: readonly Allocator[], k: number): Compared[] {
  const scenario = scenarioOfObserved(observed);
  return allocators.map((allocator) => {
    const episode = runEpisode(scenario, allocator, scenario.arrivals.length === 0 ? 0 : playedOf(observed.ticks));
    return { ...episode, score: scoreAt(k, episode) };
  });
}

/** Of these intervals, how many a comparison is about: the first shows what comes, and the oldest are left out where they are too much to simulate. */
export const playedOf = (ticks: readonly ControlTick[]): number => Math.max(0, latest(ticks).length - 1);

/** The observed arrivals, at random within their intervals; each stage is invoked as often for a batch as it was. */
function scenarioOfObserved({ pipeline, services, ticks: all }: Observed): ControlScenario {
  const { stages, intervalMs, coldStartMs } = pipeline;
  const ticks = latest(all);
  const seed = ticks[0]?.at ?? 0;
  const random = uniform(seed);
  const arrivals = ticks.flatMap(({ arrived }, i) => Array.from({ length: Math.round(arrived) }, () => (i + random()) * intervalMs));
  const perBatch = stages.map((_, s) => invocationsPerBatch(ticks, s));
  const plan = controlledPlan(
    stages.map(({ name, after }, s) => ({ name, after, serviceMs: services[s]!.ms, cv: services[s]!.cv, perBatch: perBatch[s]! })),
    coldStartMs,
  );
  const ratePerSecond = (1000 * arrivals.length) / (ticks.length * intervalMs);
  const busyMs = services.map(({ ms }, s) => ratePerSecond * perBatch[s]! * ms);
  return {
    seed,
    trace: 'observed',
    pipeline,
    plan,
    serviceMs: services.map(({ ms }) => ms),
    profile: ticks.map(({ arrived }) => ({
      durationMs: intervalMs,
      from: (1000 * arrived) / intervalMs,
      to: (1000 * arrived) / intervalMs,
    })),
    arrivals: Float64Array.from(arrivals.sort((a, b) => a - b)),
    ratePerSecond,
    referenceMb: busyMs.reduce((sum, ms, s) => sum + (ms * ticks[0]!.stages[s]!.memoryMb) / 1000, 0),
    start: Object.fromEntries(
      stages.map(({ name }, s) => {
        const { concurrency, memoryMb } = ticks[0]!.stages[s]!;
        return [name, { concurrency, memoryMb }];
      }),
    ),
  };
}

/** Partitions and retries make it more than one, batches of which a filter left nothing less. */
function invocationsPerBatch(ticks: readonly ControlTick[], s: number): number {
  const [invoked, arrived] = ticks.reduce(([a, b], tick) => [a + tick.stages[s]!.arrivals, b + tick.arrived], [0, 0]);
  return arrived > 0 ? invoked / arrived : 1;
}

function latest(ticks: readonly ControlTick[]): readonly ControlTick[] {
  let from = ticks.length;
  for (let total = 0; from > 0; from--) if ((total += invocationsOf(ticks[from - 1]!)) > MOST_INVOCATIONS) break;
  return ticks.slice(Math.max(0, Math.min(from, ticks.length - 2)));
}

const invocationsOf = ({ arrived, stages }: ControlTick): number =>
  stages.reduce((sum, { arrivals }) => sum + Math.max(arrived, arrivals), 0);
