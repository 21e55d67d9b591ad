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

/** A longer past is cut: simulating it would take more than it tells. */
const MOST_ARRIVALS = 50_000;

/** What each allocator would have made of the arrivals that were observed, in the twin. */
export function compareOn(observed: Observed, allocators: readonly Allocator[], k: number): Compared[] {
  const scenario = scenarioOfObserved(observed);
  return allocators.map((allocator) => {
    const episode = runEpisode(scenario, allocator, scenario.arrivals.length === 0 ? 0 : scenario.steps);
    return { ...episode, score: scoreAt(k, episode) };
  });
}

/** The observed arrivals, at random within their intervals. */
function scenarioOfObserved({ pipeline, services, ticks: all }: Observed): ControlScenario & { readonly steps: number } {
  const { stages, intervalMs, coldStartMs } = pipeline;
  const ticks = latest(all);
  const seed = ticks[0]?.at ?? 0;
  const random = uniform(seed);
  const arrivals = ticks.flatMap(({ arrived }, i) => Array.from({ length: Math.round(arrived) }, () => (i + random()) * intervalMs));
  const plan = controlledPlan(
    stages.map(({ name, after }, s) => ({ name, after, serviceMs: services[s]!.ms, cv: services[s]!.cv })),
    coldStartMs,
  );
  const ratePerSecond = (1000 * arrivals.length) / (ticks.length * intervalMs);
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
    referenceMb: services.reduce((sum, { ms }, s) => sum + (ratePerSecond * ms * ticks[0]!.stages[s]!.memoryMb) / 1000, 0),
    start: Object.fromEntries(
      stages.map(({ name }, s) => {
        const { concurrency, memoryMb } = ticks[0]!.stages[s]!;
        return [name, { concurrency, memoryMb }];
      }),
    ),
    // The first interval shows what comes.
    steps: ticks.length - 1,
  };
}

function latest(ticks: readonly ControlTick[]): readonly ControlTick[] {
  let from = ticks.length;
  for (let total = 0; from > 0; from--) if ((total += ticks[from - 1]!.arrived) > MOST_ARRIVALS) break;
  return ticks.slice(Math.min(from, ticks.length - 2));
}
