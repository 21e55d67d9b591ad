import type { ControlEnvironment } from '@autoflow/twin';

/**
 * `in-slo`: rᵢ = −costᵢ − k·blameᵢ, whose sum is k·T − C, with T the records inside the service level, up to what no policy can change.
 * `plain`: the paper's R = k·T − C, with every completed record in T, however late, shared equally among the stages.
 */
export type RewardKind = 'in-slo' | 'plain';

/** Late or completed records of an interval count at most for so many times the mean arrivals: a flood says no more than that. */
const MOST_BLAME = 3;
const MOST_COMPLETED = 6;
/** After scaling: keeps one lost interval from outweighing an episode. */
const MOST = 4;

/** Per stage, scaled by 1/√(k/20) so that all k teach alike. */
export function rewards(environment: ControlEnvironment, k: number, kind: RewardKind): Float64Array {
  const { cost, blame, completed } = environment;
  const scale = 1 / Math.sqrt(k / 20);
  const share = (k * Math.min(completed, MOST_COMPLETED)) / cost.length;
  return cost.map((own, s) => {
    const gained = kind === 'plain' ? share : -k * Math.min(blame[s]!, MOST_BLAME);
    return Math.max(-MOST, Math.min(MOST, scale * (gained - own)));
  });
}
