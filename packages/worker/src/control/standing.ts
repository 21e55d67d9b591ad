import type { Comparison, ControlStatus } from '@autoflow/store';

/** Comparisons that are looked at, and that it takes to be believed. */
const LOOKED_AT = 3;
const KEPT = 12;
/** The agent must be better by so much of the score: what is a draw stays with the rule. */
const MARGIN = 0.02;

/** Where nothing was compared yet. */
export const UNPROVEN: Pick<ControlStatus, 'agentStands' | 'comparisons' | 'sinceComparison'> = {
  agentStands: false,
  comparisons: [],
  sinceComparison: 0,
};

/** What was proven of another policy, or for another objective, says nothing of this one. Without a policy there is nothing to tell it apart by. */
export function standingFor(status: ControlStatus, policy: string | undefined, objective: readonly (number | undefined)[]): ControlStatus {
  if (policy === undefined) return status;
  const provenFor = [policy, ...objective.map((one) => one ?? 'default')].join(' ');
  return status.provenFor === undefined || status.provenFor === provenFor
    ? { ...status, provenFor }
    : { ...status, ...UNPROVEN, provenFor };
}

/** Promoted when it is better over the latest comparisons, demoted when it is worse; between the two things stay as they are. */
export function withComparison(status: ControlStatus, comparison: Comparison): ControlStatus {
  const comparisons = [...status.comparisons, comparison].slice(-KEPT);
  return { ...status, comparisons, sinceComparison: 0, agentStands: stands(status.agentStands, comparisons) };
}

function stands(stood: boolean, comparisons: readonly Comparison[]): boolean {
  const latest = comparisons.slice(-LOOKED_AT);
  if (latest.length < LOOKED_AT) return stood;
  const [agent, fallback] = [total(latest, 'agent'), total(latest, 'fallback')];
  return stood ? agent <= fallback : agent < (1 - MARGIN) * fallback;
}

const total = (comparisons: readonly Comparison[], who: 'agent' | 'fallback'): number =>
  comparisons.reduce((sum, comparison) => sum + comparison[who].score, 0);
