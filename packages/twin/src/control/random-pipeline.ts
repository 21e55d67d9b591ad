import { fits, MB_PER_CORE } from '../model/host-model.js';
import type { PlanModel } from '../model/plan-model.js';
import { controlledPlan, serviceMsAt, type ServedStage } from './controlled-plan.js';
import type { ControlledPipeline } from './tick.js';

export interface RandomPipeline {
  readonly pipeline: ControlledPipeline;
  readonly plan: PlanModel;
  /** At the size that each stage begins with. */
  readonly serviceMs: readonly number[];
  readonly memoryMb: readonly number[];
}

export interface PipelineConditions {
  readonly intervalMs: number;
  readonly mostInstances: number;
  /** Factor on what invocations take; default 1. */
  readonly pace?: number;
  /** Stages compute and hold a working set, so that memory matters: each has every size that it fits, and begins with any. Default: one size each. */
  readonly computing?: boolean;
  /** What the service level leaves beside the slowest way through; default: half again as much as that, and 3 s. */
  readonly slackMs?: (wayMs: number) => number;
}

const usualSlackMs = (wayMs: number): number => 1.5 * wayMs + 3000;
const MEMORY_MB = [256, 512, 1024, 2048] as const;
/** Where memory is chosen: one of a whole core among them. */
const SIZES_MB = [256, 512, 1024, MB_PER_CORE, 3072] as const;
/** Of the places where a fork could be. */
const FORKS = 0.3;

/** Stages in a row with parallel branches that join again here and there; services and cold starts lognormal, as real functions have them. */
export function randomPipeline(
  random: () => number,
  stages: { readonly least: number; readonly most: number },
  conditions: PipelineConditions,
): RandomPipeline {
  const { pace = 1, computing = false } = conditions;
  const count = stages.least + Math.floor(random() * (stages.most - stages.least + 1));
  const after = randomWiring(random, count);
  const wholeCoreMs = after.map(() => pace * clamp(lognormal(random, 350, 0.8), 60, 1800));
  const onlySizeMb = after.map(() => MEMORY_MB[Math.floor(random() * MEMORY_MB.length)]!);
  const coldStartMs = clamp(lognormal(random, 1200, 0.6), 250, 6000);
  const cv = after.map(() => 0.2 + 0.8 * random());
  const sized = after.map((_, s) =>
    computing ? computed(random, wholeCoreMs[s]!) : { sizesMb: [onlySizeMb[s]!], guessedMb: onlySizeMb[s]! },
  );
  const plan = controlledPlan(
    after.map((before, s) => ({ name: nameOf(s), after: before, serviceMs: wholeCoreMs[s]!, cv: cv[s]!, ...sized[s]!.use })),
    coldStartMs,
  );
  const memoryMb = sized.map(({ guessedMb }) => guessedMb);
  const serviceMs = computing ? memoryMb.map((size, s) => serviceMsAt(plan, s, size)) : wholeCoreMs;
  const sizesMb = sized.map(({ sizesMb: sizes }) => sizes);
  return { plan, serviceMs, memoryMb, pipeline: controlled(plan, serviceMs, sizesMb, conditions) };
}

interface Sized {
  /** Ascending. */
  readonly sizesMb: readonly number[];
  readonly guessedMb: number;
  readonly use?: Pick<ServedStage, 'cpuMs' | 'workingSetMb'>;
}

/** Anything from waiting only to computing only, with a working set of which half are above 120 MB. */
function computed(random: () => number, wholeCoreMs: number): Sized {
  const use = { cpuMs: wholeCoreMs * random(), workingSetMb: clamp(lognormal(random, 120, 0.8), 30, 900) };
  const sizesMb = SIZES_MB.filter((size) => fits(use.workingSetMb, size));
  return { use, sizesMb, guessedMb: sizesMb[Math.floor(random() * sizesMb.length)]! };
}

function controlled(
  { stages, host }: PlanModel,
  serviceMs: readonly number[],
  sizesMb: readonly (readonly number[])[],
  { intervalMs, mostInstances, slackMs = usualSlackMs }: PipelineConditions,
): ControlledPipeline {
  const done: number[] = [];
  for (const [s, { after }] of stages.entries()) done.push(serviceMs[s]! + Math.max(0, ...after.map((before) => done[before]!)));
  const wayMs = Math.max(...done);
  return {
    stages: stages.map(({ name, after, followers }, s) => ({
      name,
      after,
      followers,
      concurrency: { min: 1, max: mostInstances },
      memoryMb: sizesMb[s]!,
    })),
    sloMs: wayMs + slackMs(wayMs),
    coldStartMs: host.coldStartMs,
    intervalMs,
  };
}

/** After whom each stage comes. A fork is two stages side by side between one before and one after them. */
function randomWiring(random: () => number, count: number): number[][] {
  const after: number[][] = [[]];
  while (after.length < count) {
    const last = after.length - 1;
    if (after.length + 3 <= count && random() < FORKS) after.push([last], [last], [last + 1, last + 2]);
    else after.push([last]);
  }
  return after;
}

const nameOf = (s: number): string => `s${s}`;

function lognormal(random: () => number, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));
