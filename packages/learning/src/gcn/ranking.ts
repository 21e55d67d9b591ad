import { startPoint, type Evaluation, type Plan, type Point, type Search } from '@autoflow/optimizer';
import { PlanError } from '@autoflow/twin';
import { FeatureError } from '../feature-error.js';
import { Featurizer, type PlanFeatures } from '../features.js';
import { sigmoid } from './calibration.js';
import { contributionsOf, type Contribution } from './contributions.js';
import { loadOf } from './labels.js';
import type { Scorer } from './scorer.js';
import { leadOf, utility, type Utility } from './utility.js';

/** What the scorer says of a plan that it has put forward. */
export interface ScoredPlan {
  readonly plan: Plan;
  /** S(G) = σ(φ(G)): the probability that it beats what runs. */
  readonly probability: number;
  readonly predicted: { readonly costPer1000: number; readonly p95Ms: number; readonly throughput: number };
  readonly why: readonly Contribution[];
}
export interface ScoredPoint {
  readonly point: Point;
  readonly utility: number;
}

/** Points by what the scorer says of them. */
export class Ranking {
  private readonly kept: ScoredPoint[] = [];
  private readonly taken = new Set<string>();
  private readonly tail: number;
  private readonly featurizers = new Map<string, Featurizer>();
  private readonly reference: Utility | undefined;

  constructor(
    private readonly scorer: Scorer,
    private readonly search: Search,
    running: Evaluation | undefined,
  ) {
    this.tail = running === undefined ? 1 : Math.max(1, running.figures.p99Ms / running.figures.p95Ms);
    const features = this.features(startPoint(search.space));
    this.reference = features && this.utility(scorer.heads([features]));
  }

  add(points: readonly Point[]): void {
    for (const scored of this.scored(points)) this.kept.push(scored);
  }

  scored(points: readonly Point[]): ScoredPoint[] {
    const known = points.flatMap((point) => {
      const features = this.features(point);
      return features === undefined ? [] : [{ point, features }];
    });
    const heads = this.scorer.heads(known.map(({ features }) => features));
    return known.map(({ point }, i) => ({ point, utility: this.utility(heads.subarray(3 * i, 3 * i + 3)).mean }));
  }

  /** The best of these, by default of all that was added, that were not taken before. */
  take(count: number, of = this.kept): Point[] {
    const best: Point[] = [];
    for (const { point } of of.sort((a, b) => b.utility - a.utility)) {
      if (best.length >= count) break;
      const key = `${point.candidate.hash} ${point.memoryMb.join(' ')}`;
      if (this.taken.has(key)) continue;
      this.taken.add(key);
      best.push(point);
    }
    return best;
  }

  said(plan: Plan, explain: boolean): ScoredPlan {
    const { problem, space } = this.search;
    const model = space.step(space.start, plan.steps)!.formula.plan;
    const features = new Featurizer(model, loadOf(problem)).of(plan.allocation);
    const heads = this.scorer.heads([features]);
    // What runs cannot be scored: anything that can is better.
    const lead = this.reference === undefined ? Number.POSITIVE_INFINITY : leadOf(this.utility(heads), this.reference);
    return {
      plan,
      probability: sigmoid(lead / this.scorer.model.calibration.temperature),
      predicted: { costPer1000: Math.exp(heads[0]!), p95Ms: Math.exp(heads[1]!), throughput: Math.exp(heads[2]!) },
      why: explain ? contributionsOf(this.scorer, features, model, plan.allocation, (of) => this.utility(of).mean) : [],
    };
  }

  private utility(heads: ArrayLike<number>): Utility {
    const { problem } = this.search;
    return utility(problem.objective, loadOf(problem).ratePerSecond, this.tail, heads, this.scorer.model.calibration.spread);
  }

  private features({ candidate, memoryMb }: Point): PlanFeatures | undefined {
    let featurizer = this.featurizers.get(candidate.hash);
    if (featurizer === undefined) {
      featurizer = new Featurizer(candidate.formula.plan, loadOf(this.search.problem));
      this.featurizers.set(candidate.hash, featurizer);
    }
    try {
      return featurizer.of(candidate.formula.allocation(memoryMb));
    } catch (error) {
      if (error instanceof PlanError || error instanceof FeatureError) return undefined;
      throw error;
    }
  }
}
