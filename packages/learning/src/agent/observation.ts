import type { ControlledPipeline, ControlState } from '@autoflow/twin';

/** Of one stage. */
export const OBSERVED = 42;
const LAGS = 8;
/** What each of them is, for those who are told that one is strange. */
export const OBSERVATIONS: readonly string[] = [
  ...['load', 'need', 'instances', 'slow load', '20-interval peak', 'utilisation', 'load / instances', 'queue', 'starting'],
  ...['service / interval', 'cold start / interval', 'share of the memory', 'slack / interval', 'late records'],
  ...['growth in an interval', 'growth of the load', 'growth of the mean', 'growth to the peak', 'stages before', 'stages after'],
  ...['mean queue', 'longest queue', 'mean load / instances', 'mean utilisation'],
  ...['queue before', 'load / instances before', 'utilisation before', 'queue after', 'load / instances after'],
  ...Array.from({ length: LAGS }, (_, lag) => `arrivals, ${lag} intervals ago`),
  ...['need / instances', 'need, rounded', '60-interval peak', 'growth of the peak', 'k'],
];
/** Keeps ratios of loads near nothing from meaning much. */
const FLOOR = 0.2;

/** Places in the graph: the longest way from the input and to the output, in stages. Compute once per pipeline. */
export interface Places {
  readonly depth: readonly number[];
  readonly height: readonly number[];
}

export function placesOf({ stages }: ControlledPipeline): Places {
  const depth: number[] = [];
  for (const [s, { after }] of stages.entries()) depth[s] = Math.max(0, ...after.map((i) => depth[i]! + 1));
  const height: number[] = stages.map(() => 0);
  for (let s = stages.length - 1; s >= 0; s--) height[s] = Math.max(0, ...stages[s]!.followers.map((i) => height[i]! + 1));
  return { depth, height };
}

/** Of an interval: a record with more time than this is served by what is ordered when its queue is seen. */
const MOST_SLACK = 1;
/** Intervals: what takes longer to come, or to be done, is not there for the next decisions either. */
const LONGEST_COLD_START = 2;
const LONGEST_SERVICE = 0.2;

/**
 * What the agent sees of each stage, all logarithms or ratios, times as parts of the interval, so that one network fits every pipeline: its own load, instances, queue and
 * recent past, the pipeline as a whole, the stages directly before and after it, the arrivals of the last intervals, and k.
 * Fills and answers `into` [stages, OBSERVED].
 */
export function observe(state: ControlState, places: Places, k: number, into: Float32Array): Float32Array {
  const { pipeline, load, concurrency, utilisation, serviceMs, memoryMb, slowLoad, fastLoad, shortPeak, longPeak } = state;
  const count = state.stages;
  const drain = new Float64Array(count);
  const pressure = new Float64Array(count);
  const mean = { drain: 0, pressure: 0, utilisation: 0 };
  let [longest, memory] = [0, 0];
  for (let s = 0; s < count; s++) {
    drain[s] = Math.log1p(state.backlog(s) / Math.max(1, concurrency[s]! / 4));
    pressure[s] = load[s]! / Math.max(0.25, concurrency[s]!);
    mean.drain += drain[s]! / count;
    mean.pressure += pressure[s]! / count;
    mean.utilisation += utilisation[s]! / count;
    longest = Math.max(longest, drain[s]!);
    memory += memoryMb[s]!;
  }
  const slack = Math.min(MOST_SLACK, (pipeline.sloMs - wayThrough(state)) / pipeline.intervalMs);
  const coldStart = Math.min(LONGEST_COLD_START, pipeline.coldStartMs / pipeline.intervalMs);
  const { arrived, meanArrived } = state;
  let at = 0;
  const put = (value: number): void => {
    into[at++] = value;
  };
  for (let s = 0; s < count; s++) {
    const need = state.need(s);
    put(Math.log1p(load[s]!));
    put(Math.log1p(need));
    put(Math.log1p(concurrency[s]!));
    put(Math.log1p(slowLoad[s]!));
    put(Math.log1p(shortPeak[s]!));
    put(utilisation[s]!);
    put(pressure[s]!);
    put(drain[s]!);
    put(Math.log1p(state.starting[s]!));
    put(15 * Math.min(LONGEST_SERVICE, serviceMs[s]! / pipeline.intervalMs));
    put(5 * coldStart);
    put((memoryMb[s]! * count) / memory - 1);
    put(slack);
    put(Math.min(2, state.lateShare * 3));
    put(growth(load[s]!, state.loadBefore[s]!));
    put(growth(load[s]!, fastLoad[s]!));
    put(growth(fastLoad[s]!, slowLoad[s]!));
    put(growth(shortPeak[s]!, slowLoad[s]!));
    put(places.depth[s]! / 8);
    put(places.height[s]! / 8);
    put(mean.drain);
    put(longest);
    put(mean.pressure);
    put(mean.utilisation);
    const { after, followers } = pipeline.stages[s]!;
    put(largest(drain, after, 0));
    put(largest(pressure, after, mean.pressure));
    put(largest(utilisation, after, mean.utilisation));
    put(largest(drain, followers, 0));
    put(largest(pressure, followers, mean.pressure));
    for (let lag = 1; lag <= LAGS; lag++) put(arrived.length >= lag ? Math.min(3, arrived[arrived.length - lag]! / meanArrived) - 1 : 0);
    put(Math.min(3, need / Math.max(1, concurrency[s]!)));
    put(need < 4 ? Math.ceil(need) - need : 0);
    put(Math.log1p(longPeak[s]!));
    put(growth(longPeak[s]!, shortPeak[s]!));
    put(Math.log(k / 20) / 1.5);
  }
  return into;
}

/** Service along the slowest way through the graph. */
function wayThrough({ pipeline, serviceMs }: ControlState): number {
  const done = new Float64Array(serviceMs.length);
  let longest = 0;
  for (let s = 0; s < done.length; s++) {
    done[s] = serviceMs[s]! + largest(done, pipeline.stages[s]!.after, 0);
    if (done[s]! > longest) longest = done[s]!;
  }
  return longest;
}

const growth = (now: number, before: number): number => Math.log((now + FLOOR) / (before + FLOOR));

function largest(of: Float64Array, among: readonly number[], none: number): number {
  if (among.length === 0) return none;
  let found = of[among[0]!]!;
  for (let i = 1; i < among.length; i++) found = Math.max(found, of[among[i]!]!);
  return found;
}
