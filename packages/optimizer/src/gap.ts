import type { Evaluation } from './evaluator.js';
import type { Standing } from './propose.js';
import { regret } from './score.js';

/**
 * By how much the score of what is kept (the winner, or what runs) is worse than that of the best, as a share of what is minimised. To an optimum only
 * where the twin was asked about every plan of a space (below 0: what is kept lies outside that space, and is better); else to the best known of a
 * search that is stated, and why there is no optimum to hold it against.
 */
export type Gap =
  | { readonly share: number; readonly space: { readonly plans: number; readonly by: 'twin' } }
  | {
      readonly share: number;
      readonly bestKnown: { readonly evaluations: number; readonly proposers: readonly string[] };
      readonly reason: string;
    }
  | { readonly reason: string };

/** `ranked`: all that the twin was asked about, the best first. `kept`: undefined where nothing can run. */
export function gapOf(standing: readonly Standing[], ranked: readonly Evaluation[], kept: Evaluation | undefined): Gap {
  if (kept === undefined) return { reason: 'what runs cannot run in the twin' };
  const enumerated = standing.find(({ exact }) => exact?.by === 'twin');
  const best = enumerated === undefined ? ranked.find(({ isRefused }) => !isRefused) : enumerated.best;
  if (best === undefined) return { reason: 'no other plan can run in the twin' };
  if (best.keepsLimits !== kept.keepsLimits)
    return { reason: best.keepsLimits ? 'what stays breaks a limit that others keep' : 'what is kept keeps limits that the rest breaks' };
  const share = regret(kept.score, best.score);
  if (enumerated !== undefined) return { share, space: { plans: enumerated.exact!.plans, by: 'twin' } };
  const bestKnown = { evaluations: ranked.length, proposers: standing.map(({ proposer }) => proposer) };
  return { share, bestKnown, reason: whyInexact(standing) };
}

function whyInexact(standing: readonly Standing[]): string {
  const byFormula = standing.find(({ exact }) => exact !== undefined)?.exact;
  if (byFormula !== undefined) return `the twin was not asked about all ${byFormula.plans} plans, which were enumerated by formula only`;
  return standing.find(({ note }) => note !== undefined)?.note ?? 'no proposer that enumerates was asked';
}
