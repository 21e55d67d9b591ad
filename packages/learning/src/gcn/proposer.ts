import {
  ChainSpace,
  climb,
  PROPOSERS,
  startPoint,
  type Candidate,
  type Point,
  type Proposal,
  type Proposer,
  type Search,
} from '@autoflow/optimizer';
import { loadBackend, type BackendName, type TensorBackend } from '../backend.js';
import { ModelError, PRETRAINED, readModel, type GcnModel } from './model-file.js';
import { Ranking, type ScoredPlan } from './ranking.js';
import { Scorer } from './scorer.js';

export interface GcnProposal extends Proposal {
  /** In the order in which the twin was asked about them. */
  readonly scored: readonly ScoredPlan[];
}
export interface GcnProposer extends Proposer {
  propose(search: Search): Promise<GcnProposal>;
}
export interface GcnProposerOptions {
  /** Default: the model that comes with AutoFlow. */
  readonly model?: string | URL | GcnModel;
  readonly backend?: BackendName | TensorBackend;
  readonly log: (line: string) => void;
}

/** So many plans of a large space are looked at by features at a time. */
const CHUNK = 2048;
const EXPLAINED = 5;
/** Of the time; the rest is for the twin. */
const RANKING = 0.5;
const WIDTH = 24;
const MOVES = 16;
const PATIENCE = 3;
/** Of the twin's answers, where not all could be ranked: so many for the best of the ranking, then others for what lies around the best of those. */
const PORTION = 0.1;
const NEIGHBOURS = 4;

/**
 * A proposer that ranks by the trained scorer and asks the twin about the best of its ranking; where the space is too large to be ranked whole, it
 * climbs on from the best answers, and the scorer chooses among their neighbours. With a model that cannot be used it ranks by formula
 * instead and says so in its note: it never proposes from weights that make no sense.
 */
export async function gcnProposer({ model = PRETRAINED, backend = 'native', log }: GcnProposerOptions): Promise<GcnProposer> {
  try {
    const loaded = typeof model === 'string' || model instanceof URL ? await readModel(model) : model;
    const tensors = typeof backend === 'string' ? await loadBackend(backend, log) : backend;
    return gcnOf(new Scorer(tensors, loaded));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    log(`gcn: ranks by formula, because: ${error.message}`);
    return byFormula(error.message);
  }
}

function byFormula(reason: string): GcnProposer {
  const analytic = PROPOSERS.find(({ name }) => name === 'analytic')!;
  return {
    name: 'gcn',
    propose: async (search) => {
      const proposal = await analytic.propose(search);
      const note = [`ranked by formula, not by the learned scorer: ${reason}`, proposal.note]
        .filter((text) => text !== undefined)
        .join('; ');
      return { ...proposal, note, scored: [] };
    },
  };
}

function gcnOf(scorer: Scorer): GcnProposer {
  return {
    name: 'gcn',
    async propose(search) {
      const { space, account } = search;
      const start = space.plan(startPoint(space));
      const running = await account.twin(start);
      const ranking = new Ranking(scorer, search, running);
      const chain = await ChainSpace.of(space, account.pacer);
      if ('reason' in chain) await rankReached(search, ranking);
      else await rankAll(search, chain, ranking);
      const scored: ScoredPlan[] = [];
      const ask = async (point: Point): Promise<number> => {
        const plan = space.plan(point);
        scored.push(ranking.said(plan, scored.length < EXPLAINED));
        return (await account.twin(plan))?.score ?? Number.POSITIVE_INFINITY;
      };
      const portion = 'reason' in chain ? Math.ceil(account.left * PORTION) : account.left;
      while (!account.exhausted) {
        const best = await askBest(search, ranking.take(portion), ask);
        if (best === undefined) break;
        if ('reason' in chain) await climbOn(search, ranking, best, ask);
      }
      return {
        ranked: account.ranked,
        scored,
        ...('reason' in chain && { note: `not enumerated: ${chain.reason}` }),
      };
    },
  };
}

interface Asked {
  readonly point: Point;
  readonly score: number;
}

async function askBest({ account }: Search, points: readonly Point[], ask: (point: Point) => Promise<number>): Promise<Asked | undefined> {
  let best: Asked | undefined;
  for (const point of points) {
    if (account.exhausted) break;
    const score = await ask(point);
    if (best === undefined || score < best.score) best = { point, score };
  }
  return best;
}

/** From the best that the twin has seen, over those of its neighbours that the scorer likes most, until none of them is better. */
async function climbOn(search: Search, ranking: Ranking, from: Asked, ask: (point: Point) => Promise<number>): Promise<void> {
  const { space, account, random } = search;
  let [best, stale] = [from, 0];
  while (!account.exhausted && stale < PATIENCE) {
    const rewritten = space.neighbours(best.point.candidate, random, MOVES).flatMap((candidate) => withBestMemory(candidate) ?? []);
    const neighbours = [rewritten, oneSizeOff(best.point)].flatMap((points) => ranking.take(NEIGHBOURS, ranking.scored(points)));
    const next = await askBest(search, neighbours, ask);
    [best, stale] = next !== undefined && next.score < best.score ? [next, 0] : [best, stale + 1];
  }
}

function withBestMemory(candidate: Candidate): Point | undefined {
  const { memoryMb, score } = candidate.formula.bestMemory();
  return Number.isFinite(score) ? { candidate, memoryMb } : undefined;
}

/** Every plan of a chain, those that the formula likes first: what the time is not enough for is what it likes least. */
async function rankAll({ account }: Search, chain: ChainSpace, ranking: Ranking): Promise<void> {
  const { scores: formula } = await chain.scores(account.pacer);
  const order = Uint32Array.from({ length: chain.plans }, (_, plan) => plan).sort((a, b) => formula[a]! - formula[b]!);
  for (let from = 0; from < order.length && account.pacer.usedShare < RANKING; from += CHUNK) {
    const plans = [...order.subarray(from, from + CHUNK)].filter((plan) => Number.isFinite(formula[plan]));
    if (plans.length === 0) break;
    ranking.add(plans.map((plan) => chain.point(plan)));
    await account.pacer.breathe();
  }
}

/** What a wide beam comes by, level by level. */
async function rankReached(search: Search, ranking: Ranking): Promise<void> {
  const { space, account } = search;
  const levels = climb(search, { width: WIDTH, moves: MOVES });
  let [best, stale] = [Number.POSITIVE_INFINITY, 0];
  let from = [space.start];
  while (from.length > 0 && stale < PATIENCE && account.pacer.usedShare < RANKING) {
    const level = await levels.next(from);
    const score = level[0]?.score ?? Number.POSITIVE_INFINITY;
    [best, stale] = score < best ? [score, 0] : [best, stale + 1];
    ranking.add(level.flatMap(({ point }) => [point, ...oneSizeOff(point)]));
    from = level.map(({ point }) => point.candidate);
  }
}

/** The formula chose the memory of `point`; the scorer may see it otherwise. */
function oneSizeOff({ candidate, memoryMb }: Point): Point[] {
  const { formula } = candidate;
  return memoryMb.flatMap((size, s) => {
    const sizes = formula.sizes[s]!;
    const at = sizes.indexOf(size);
    return [sizes[at - 1], sizes[at + 1]]
      .filter((other) => other !== undefined)
      .map((other) => ({ candidate, memoryMb: memoryMb.with(s, other) }))
      .filter((point) => Number.isFinite(formula.score(point.memoryMb)));
  });
}
