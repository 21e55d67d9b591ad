import type { Proposer, Search } from '../proposer.js';
import type { Candidate } from '../space/candidate.js';
import type { Point } from '../space/plan-space.js';
import { startPoint } from './moves.js';

/** Levels without anything better before it ends. */
const PATIENCE = 4;

/** The topologies of each level that the twin finds best are rewritten further; the formula chooses their memory, and whom the twin is asked about. */
export const beam: Proposer = {
  name: 'beam',
  async propose(search) {
    const { space, account } = search;
    await account.twin(space.plan(startPoint(space)));
    const width = Math.max(2, Math.min(8, Math.floor(account.budget.evaluations / 16)));
    const levels = climb(search, { width: 3 * width, moves: 12 });
    let [best, stale] = [Number.POSITIVE_INFINITY, 0];
    let survivors: Candidate[] = [space.start];
    while (!account.exhausted && stale < PATIENCE) {
      const shortlist = await levels.next(survivors);
      const judged: { readonly candidate: Candidate; readonly score: number }[] = [];
      for (const { point } of shortlist) {
        const found = await account.twin(space.plan(point));
        if (found) judged.push({ candidate: point.candidate, score: found.score });
      }
      if (judged.length === 0) break;
      judged.sort((a, b) => a.score - b.score);
      survivors = judged.slice(0, width).map(({ candidate }) => candidate);
      const { score } = judged[0]!;
      [best, stale] = score < best ? [score, 0] : [best, stale + 1];
    }
    return { ranked: account.ranked };
  },
};

interface Scored {
  readonly point: Point;
  readonly score: number;
}

/** One level at a time: neighbours never seen before, each with its best memory by formula, the best `width` of them. */
export function climb({ space, account, random }: Search, { width, moves }: { readonly width: number; readonly moves: number }) {
  const seen = new Set<string>();
  return {
    async next(from: readonly Candidate[]): Promise<Scored[]> {
      const level: Scored[] = [];
      for (const candidate of from) {
        const around = seen.has(candidate.hash) ? [] : [candidate];
        for (const next of [...around, ...space.neighbours(candidate, random, moves)]) {
          await account.pacer.breathe();
          if (account.pacer.over) break;
          if (seen.has(next.hash)) continue;
          seen.add(next.hash);
          const { memoryMb, score } = next.formula.bestMemory();
          if (Number.isFinite(score)) level.push({ point: { candidate: next, memoryMb }, score });
        }
      }
      return level.sort((a, b) => a.score - b.score).slice(0, width);
    },
  };
}
