import type { Allocation } from '@autoflow/topology';
import type { PlanModel } from '@autoflow/twin';
import { NODE_FEATURES, type PlanFeatures } from '../features.js';
import type { Scorer } from './scorer.js';

/** What one stage has to do with a plan's score. */
export interface Contribution {
  readonly stage: string;
  readonly memoryMb: number;
  /** Its share of the cost without Temporal's actions, by formula. */
  readonly costShare: number;
  /**
   * U of the plan less U with this stage as an average one (Zeiler and Fergus, 2014, occlusion), the formula left as it is: what was learned of this
   * very stage beyond the formula. 0 for all stages where no head is trusted.
   */
  readonly learned: number;
}

const COST_SHARE = 15; // of `nodeFeatures`

export function contributionsOf(
  scorer: Scorer,
  features: PlanFeatures,
  { stages }: PlanModel,
  allocation: Allocation,
  utility: (heads: ArrayLike<number>) => number,
): Contribution[] {
  const average = scorer.model.normalisation.nodes.mean;
  const occluded = stages.map((_, s) => {
    const nodes = features.nodes.slice();
    nodes.set(average, s * NODE_FEATURES);
    return { ...features, nodes };
  });
  const heads = scorer.heads([features, ...occluded]);
  const whole = utility(heads.subarray(0, 3));
  return stages.map(({ name }, s) => ({
    stage: name,
    memoryMb: allocation[name]!.memoryMb,
    costShare: features.nodes[s * NODE_FEATURES + COST_SHARE]!,
    learned: whole - utility(heads.subarray(3 * s + 3, 3 * s + 6)),
  }));
}
