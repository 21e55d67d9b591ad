import type { ControlledPipeline, ControlState } from '@autoflow/twin';
import type { Allocator } from './allocator.js';
import { serviceAt, waysThrough } from './service-by-memory.js';

/** At most one size up or down in so many decisions, which is also how long is looked before one. */
export const NOTCH_EVERY = 20;
/** Used share of the limit beyond which there is too little left for peaks. */
const FULL = 0.85;
/** Of the next smaller size: what was used must have fitted with so much to spare. */
const SPARE = 0.6;
/** Times what an invocation took. For more than that a smaller size is not worth it: as many instances more would be needed. */
const SLOWER = 1.1;
/** Of the service level: what the slowest way through a stage may take on average at a smaller size. The rest is for what takes longer, and waits. */
const ROOM = 0.5;
/** Of the service level: where the slowest way takes less, what is late is so by something else. */
const LITTLE = 0.25;
/** Share of the batches that may be late: the service level is one of the 99th percentile. */
const LATE = 0.01;
/** Of the slowest way: where the longest queue takes no more time, it is not what makes late. */
const NO_QUEUE = 0.25;
/** Of the slowest way: a larger size must shorten it by so much, and lie on a way that is nearly as slow. */
const FASTER = 0.02;
const NEARLY = 0.9;

/** Of one stage, since its size was last changed. */
interface Watched {
  memoryMb: number;
  steps: number;
  workingSetMb: number;
  outOfMemory: number;
  tooSmallMb: number;
  served: number;
  serviceMs: number;
  cpuMs: number;
  /** Batches of the whole pipeline: that came, that became late, and those of them that no queue had made so. */
  came: number;
  late: number;
  lateAlone: number;
}
const NOTHING: Omit<Watched, 'memoryMb'> = {
  steps: 0,
  workingSetMb: 0,
  outOfMemory: 0,
  tooSmallMb: 0,
  served: 0,
  serviceMs: 0,
  cpuMs: 0,
  came: 0,
  late: 0,
  lateAlone: 0,
};

interface Choice {
  readonly memoryMb: number;
  readonly why: string;
}

/**
 * An allocator whose stages get the memory that they are seen to use: one size more where instances died for want of it or came near, one
 * less where the next smaller one would have had plenty of room all along. Where CPU follows memory, one more also where batches are late by
 * service alone and more CPU would shorten it; one less then only where it hardly makes invocations slower, none of the ways through the stage
 * takes more than half of the service level by it, and hardly any batch is late. What is no size of a stage is never chosen.
 */
export function followingMemory(allocator: Allocator): Allocator {
  return {
    name: allocator.name,
    start(pipeline) {
      const inner = allocator.start(pipeline);
      const watched = pipeline.stages.map((): Watched => ({ memoryMb: 0, ...NOTHING }));
      let quiet = 0;
      let choices: readonly (Choice | undefined)[] = [];
      return {
        ...inner,
        decide: (state) => {
          const targets = inner.decide(state);
          quiet = queues(state) ? 0 : quiet + 1;
          // A batch that becomes late now came as long ago as the service level, and may have met a queue since.
          const isAlone = quiet > Math.min(Math.ceil(pipeline.sloMs / pipeline.intervalMs), NOTCH_EVERY / 2);
          watched.forEach((seen, s) => watch(seen, s, state, isAlone));
          choices = sizesFor(watched, state);
          return targets.map((target, s) => ({ ...target, memoryMb: choices[s]?.memoryMb ?? watched[s]!.memoryMb }));
        },
        explain: (s) => `${inner.explain(s)}${choices[s] === undefined ? '' : `; memory to ${choices[s].memoryMb} MB: ${choices[s].why}`}`,
      };
    },
  };
}

function queues({ pipeline, queued, serviceMs, concurrency }: ControlState): boolean {
  const waits = pipeline.stages.map((_, s) => (queued[s]! * serviceMs[s]!) / Math.max(1, concurrency[s]!));
  return Math.max(...waits) > NO_QUEUE * Math.max(...waysThrough(pipeline, serviceMs));
}

function watch(seen: Watched, s: number, { memoryMb, tick }: ControlState, isAlone: boolean): void {
  if (seen.memoryMb !== memoryMb[s]) Object.assign(seen, { memoryMb: memoryMb[s], ...NOTHING });
  seen.steps++;
  if (tick === undefined) return;
  const { served, serviceMs, cpuMs, workingSetMb = 0, outOfMemory = 0, outOfMemoryMb = 0 } = tick.stages[s]!;
  seen.workingSetMb = Math.max(seen.workingSetMb, workingSetMb);
  seen.outOfMemory += outOfMemory;
  seen.tooSmallMb = Math.max(seen.tooSmallMb, outOfMemoryMb);
  seen.served += served;
  seen.serviceMs += serviceMs;
  // Where it is not measured, all of it.
  seen.cpuMs += cpuMs ?? serviceMs;
  seen.came += tick.arrived;
  seen.late += tick.late;
  if (isAlone) seen.lateAlone += tick.late;
}

/** By stage; undefined: the size stays. Of those that become slower each sees what the stages before it have chosen. */
function sizesFor(watched: readonly Watched[], { pipeline, serviceMs }: ControlState): (Choice | undefined)[] {
  const measured = watched.map((seen, s) => (seen.served > 0 ? seen.serviceMs / seen.served : serviceMs[s]!));
  const times = [...measured];
  return watched.map((seen, s) => {
    if (seen.steps < NOTCH_EVERY) return undefined;
    const choice = starved(seen, s, pipeline) ?? slow(seen, s, pipeline, measured) ?? spared(seen, s, pipeline, times);
    if (choice !== undefined && seen.served > 0) times[s] = serviceWith(seen, choice.memoryMb, pipeline);
    return choice;
  });
}

const larger = ({ memoryMb }: Watched, s: number, { stages }: ControlledPipeline): number | undefined =>
  stages[s]!.memoryMb.find((size) => size > memoryMb);

function starved(seen: Watched, s: number, pipeline: ControlledPipeline): Choice | undefined {
  const { memoryMb: sizeMb, outOfMemory, workingSetMb } = seen;
  const memoryMb = larger(seen, s, pipeline);
  if (memoryMb === undefined || (outOfMemory === 0 && workingSetMb <= FULL * sizeMb)) return undefined;
  return { memoryMb, why: outOfMemory > 0 ? `${outOfMemory} instances ran out of it` : used(seen) };
}

function slow(seen: Watched, s: number, pipeline: ControlledPipeline, times: readonly number[]): Choice | undefined {
  const memoryMb = larger(seen, s, pipeline);
  if (memoryMb === undefined || seen.served === 0 || seen.lateAlone <= LATE * seen.came) return undefined;
  const ways = waysThrough(pipeline, times);
  const slowest = Math.max(...ways);
  const isOnIt = slowest > LITTLE * pipeline.sloMs && ways[s]! >= NEARLY * slowest;
  const gainMs = times[s]! - serviceWith(seen, memoryMb, pipeline);
  if (!isOnIt || gainMs < FASTER * slowest) return undefined;
  return { memoryMb, why: `${percent(seen.lateAlone / seen.came)} late without a queue, and with more CPU it takes ${ms(gainMs)} less` };
}

function spared(seen: Watched, s: number, pipeline: ControlledPipeline, times: number[]): Choice | undefined {
  const memoryMb = pipeline.stages[s]!.memoryMb.findLast((size) => size < seen.memoryMb);
  if (memoryMb === undefined || seen.outOfMemory > 0 || memoryMb <= seen.tooSmallMb) return undefined;
  if (seen.workingSetMb === 0 || seen.workingSetMb >= SPARE * memoryMb) return undefined;
  if (!followsMemory(pipeline)) return { memoryMb, why: used(seen) };
  const then = serviceWith(seen, memoryMb, pipeline);
  const way = waysThrough(pipeline, times.with(s, then))[s]!;
  if (then > SLOWER * times[s]! || way > ROOM * pipeline.sloMs || seen.late > LATE * seen.came) return undefined;
  return { memoryMb, why: `${used(seen)}, and with less CPU it takes ${ms(then - times[s]!)} more` };
}

const followsMemory = ({ cpuFollowsMemory = true }: ControlledPipeline): boolean => cpuFollowsMemory;

const serviceWith = (seen: Watched, memoryMb: number, pipeline: ControlledPipeline): number =>
  followsMemory(pipeline) ? serviceAt(seen, seen.memoryMb, memoryMb) : seen.serviceMs / seen.served;

const used = ({ workingSetMb }: Watched): string => `at most ${Math.round(workingSetMb)} MB are used`;
const ms = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
