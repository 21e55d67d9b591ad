import {
  ChainSpace,
  climb,
  PROPOSERS,
  startPoint,
  type Evaluation,
  type Plan,
  type Point,
  type Proposal,
  type Proposer,
  type Search,
} from '@autoflow/optimizer';
import { PlanError } from '@autoflow/twin';
import { loadBackend, type BackendName, type TensorBackend } from '../backend.js';
import { FeatureError } from '../feature-error.js';
import { Featurizer, type PlanFeatures } from '../features.js';
import { sigmoid } from './calibration.js';
import { loadOf } from './labels.js';
import { ModelError, PRETRAINED, readModel, type GcnModel } from './model-file.js';
import { Scorer } from './scorer.js';
import { contributionsOf, type Contribution } from './contributions.js';
import { utility } from './utility.js';

/** What the scorer says of a plan that it has put forward. */
export interface ScoredPlan {
  readonly plan: Plan;
  /** S(G) = σ(φ(G)): the probability that it beats what runs. */
  readonly probability: number;
  readonly predicted: { readonly costPer1000: number; readonly p95Ms: number; readonly throughput: number };
  readonly why: readonly Contribution[];
}
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

/**
 * A proposer that ranks by the trained scorer and asks the twin about the best of its ranking. With a model that cannot be used it ranks by formula
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
      for (const point of ranking.best(account.left)) {
        if (account.exhausted) break;
        const plan = space.plan(point);
        scored.push(ranking.said(plan, scored.length < EXPLAINED));
        await account.twin(plan);
      }
      return {
        ranked: account.ranked,
        scored,
        ...('reason' in chain && { note: `not enumerated: ${chain.reason}` }),
      };
    },
  };
}

/** Every plan of a chain, those that the formula likes first: what the time is not enough for is what it likes least. */
async function rankAll({ account }: Search, chain: ChainSpace, ranking: Ranking): Promise<void> {
  const formula = await chain.scores(account.pacer);
  const order = Uint32Array.from({ length: chain.plans }, (_, plan) => plan).sort((a, b) => formula[a]! - formula[b]!);
  for (let from = 0; from < order.length && account.pacer.usedMs < RANKING * account.budget.ms; from += CHUNK) {
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
  while (from.length > 0 && stale < PATIENCE && account.pacer.usedMs < RANKING * account.budget.ms) {
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

/** Points by what the scorer says of them. */
class Ranking {
  private readonly kept: { readonly point: Point; readonly utility: number }[] = [];
  private readonly tail: number;
  private readonly featurizers = new Map<string, Featurizer>();
  private readonly reference: number;

  constructor(
    private readonly scorer: Scorer,
    private readonly search: Search,
    running: Evaluation | undefined,
  ) {
    this.tail = running === undefined ? 1 : Math.max(1, running.figures.p99Ms / running.figures.p95Ms);
    const features = this.features(startPoint(search.space));
    this.reference = features === undefined ? Number.NEGATIVE_INFINITY : this.utility(scorer.heads([features]));
  }

  add(points: readonly Point[]): void {
    const known = points.flatMap((point) => {
      const features = this.features(point);
      return features === undefined ? [] : [{ point, features }];
    });
    const heads = this.scorer.heads(known.map(({ features }) => features));
    known.forEach(({ point }, i) => this.kept.push({ point, utility: this.utility(heads.subarray(3 * i, 3 * i + 3)) }));
  }

  best(count: number): Point[] {
    this.kept.sort((a, b) => b.utility - a.utility);
    // The twin answers again for free what it was asked before, so a few more than may be asked.
    return this.kept.slice(0, count + 1).map(({ point }) => point);
  }

  said(plan: Plan, explain: boolean): ScoredPlan {
    const { problem, space } = this.search;
    const model = space.step(space.start, plan.steps)!.formula.plan;
    const features = new Featurizer(model, loadOf(problem)).of(plan.allocation);
    const heads = this.scorer.heads([features]);
    const lead = this.utility(heads) - this.reference;
    return {
      plan,
      probability: sigmoid(lead / this.scorer.model.calibration.temperature),
      predicted: { costPer1000: Math.exp(heads[0]!), p95Ms: Math.exp(heads[1]!), throughput: Math.exp(heads[2]!) },
      why: explain ? contributionsOf(this.scorer, features, model, plan.allocation, (of) => this.utility(of)) : [],
    };
  }

  private utility(heads: ArrayLike<number>): number {
    const { objective, ratePerSecond } = this.search.problem;
    return utility(objective, ratePerSecond, this.tail, heads, this.scorer.model.calibration.spread);
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
