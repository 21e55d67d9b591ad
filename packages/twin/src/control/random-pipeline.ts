import type { PlanModel } from '../model/plan-model.js';
import { controlledPlan } from './controlled-plan.js';
import type { ControlledPipeline } from './tick.js';

export interface RandomPipeline {
  readonly pipeline: ControlledPipeline;
  readonly plan: PlanModel;
  readonly serviceMs: readonly number[];
  readonly memoryMb: readonly number[];
}

export interface PipelineConditions {
  readonly intervalMs: number;
  readonly mostInstances: number;
  /** Factor on what invocations take; default 1. */
  readonly pace?: number;
  /** What the service level leaves beside the slowest way through; default: half again as much as that, and 3 s. */
  readonly slackMs?: (wayMs: number) => number;
}

const usualSlackMs = (wayMs: number): number => 1.5 * wayMs + 3000;
const MEMORY_MB = [256, 512, 1024, 2048] as const;
/** Of the places where a fork could be. */
const FORKS = 0.3;

/** Stages in a row with parallel branches that join again here and there; services and cold starts lognormal, as real functions have them. */
export function randomPipeline(
  random: () => number,
  stages: { readonly least: number; readonly most: number },
  conditions: PipelineConditions,
): RandomPipeline {
  const { pace = 1 } = conditions;
  const count = stages.least + Math.floor(random() * (stages.most - stages.least + 1));
  const after = randomWiring(random, count);
  const serviceMs = after.map(() => pace * clamp(lognormal(random, 350, 0.8), 60, 1800));
  const memoryMb = after.map(() => MEMORY_MB[Math.floor(random() * MEMORY_MB.length)]!);
  const coldStartMs = clamp(lognormal(random, 1200, 0.6), 250, 6000);
  const plan = controlledPlan(
    after.map((before, s) => ({ name: nameOf(s), after: before, serviceMs: serviceMs[s]!, cv: 0.2 + 0.8 * random() })),
    coldStartMs,
  );
  return { plan, serviceMs, memoryMb, pipeline: controlled(plan, serviceMs, memoryMb, conditions) };
}

function controlled(
  { stages, host }: PlanModel,
  serviceMs: readonly number[],
  memoryMb: readonly number[],
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
      memoryMb: [memoryMb[s]!],
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
