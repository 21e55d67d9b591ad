import { Evaluator, PlanSpace, randomNeighbour, randomPoint, startPoint, type Plan, type Point, type Problem } from '@autoflow/optimizer';
import { PlanError, rateSeen, uniform, type PlanModel } from '@autoflow/twin';
import { FeatureError } from '../feature-error.js';
import { Featurizer, type PlanFeatures, type ScoredLoad } from '../features.js';

/** Plans of one pipeline, by what was found out about them: they are compared with each other only. */
export interface LabelledGroup {
  readonly family: string;
  readonly load: ScoredLoad;
  /** The first is what runs before anything is proposed. */
  readonly plans: readonly LabelledPlan[];
  /** About so many executions were simulated. */
  readonly executions: number;
}
export interface LabelledPlan {
  readonly features: PlanFeatures;
  /** log of cost, p95 in ms and throughput in records per second: what the heads shall say. */
  readonly labels: Float32Array; // [3]
  /** How often it counts: 1 for the twin, more for what was measured for real. */
  readonly weight: number;
}

/** Of the plans of a group that are drawn at random; the others are mutations of the best so far, where the ranking is decided. */
const UNIFORM = 0.5;
const BEST = 4;
const TRIES = 20;

/** A problem's plans, as the twin judges them. Deterministic by the problem's seed. */
export function labelled(problem: Problem, family: string, plans: number): LabelledGroup {
  const space = new PlanSpace(problem);
  const random = uniform(problem.seed + 77);
  const twin = new Labeller(problem, space);
  const drawn: { readonly point: Point; readonly score: number }[] = [];
  const add = (point: Point | undefined): void => {
    const score = point && twin.add(space.plan(point));
    if (point !== undefined && score !== undefined) drawn.push({ point, score });
  };
  add(startPoint(space));
  for (let i = 0; twin.plans.length < plans * UNIFORM && i < plans * TRIES; i++) add(randomPoint(space, random));
  for (let i = 0; twin.plans.length < plans && i < plans * TRIES; i++) {
    const best = drawn.toSorted((a, b) => a.score - b.score).slice(0, BEST);
    const from = best[Math.floor(random() * best.length)];
    const near = from && randomNeighbour(space, from.point, random);
    add(near && random() < 0.4 ? (randomNeighbour(space, near, random) ?? near) : near);
  }
  return { family, load: twin.load, plans: twin.plans, executions: Math.round(twin.executions) };
}

/** What records see of it, and what is promised; where nothing is, the scorer still needs a scale. */
export function loadOf({ objective, ...load }: Pick<Problem, 'ratePerSecond' | 'shape' | 'objective'>): ScoredLoad {
  return { ratePerSecond: rateSeen(load), sloMs: objective.p95Ms ?? objective.p99Ms ?? NO_PROMISE_MS };
}
const NO_PROMISE_MS = 10_000;

/** Of what it carried of the rate that arrived it would have carried of the load's: the sample's own rate is luck that the plan has no part in. */
export function labelsOf(
  { costPer1000, p95Ms, throughput }: { readonly costPer1000: number; readonly p95Ms: number; readonly throughput: number },
  arrivingPerSecond: number,
  { ratePerSecond }: ScoredLoad,
): Float32Array {
  const carried = Math.min(1, throughput / arrivingPerSecond) * ratePerSecond;
  return Float32Array.of(Math.log(costPer1000), Math.log(p95Ms), Math.log(carried));
}

class Labeller {
  readonly plans: LabelledPlan[] = [];
  readonly load: ScoredLoad;
  executions = 0;
  private readonly evaluator: Evaluator;
  private readonly seen = new Set<object>();

  constructor(problem: Problem, space: PlanSpace) {
    this.load = loadOf(problem);
    this.evaluator = new Evaluator(problem, Math.max(...space.batchings.map(({ records }) => records)));
  }

  /** The plan's score; undefined for one that is known or cannot run. */
  add(plan: Plan): number | undefined {
    const evaluation = this.evaluator.evaluate(plan);
    if (evaluation === undefined || this.seen.has(evaluation)) return undefined;
    this.seen.add(evaluation);
    const model = this.evaluator.model(plan);
    const features = featuresOrNone(model, plan, this.load);
    if (features === undefined) return undefined;
    this.executions += this.evaluator.records / recordsPerBatch(model, this.load);
    this.plans.push({ features, labels: labelsOf(evaluation.figures, this.evaluator.arrivingPerSecond, this.load), weight: 1 });
    return evaluation.score;
  }
}

function featuresOrNone(model: PlanModel, { allocation }: Plan, load: ScoredLoad): PlanFeatures | undefined {
  try {
    return new Featurizer(model, load).of(allocation);
  } catch (error) {
    if (error instanceof PlanError || error instanceof FeatureError) return undefined;
    throw error;
  }
}

/** At least the records that come within the linger, at most the batch. */
function recordsPerBatch({ batchRecords, lingerMs }: PlanModel, { ratePerSecond }: ScoredLoad): number {
  return Math.min(batchRecords, 1 + (ratePerSecond * lingerMs) / 1000);
}
