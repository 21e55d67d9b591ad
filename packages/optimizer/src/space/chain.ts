import { stageName, type Topology } from '@autoflow/topology';
import type { Step } from '@autoflow/topology/rewrites';
import type { Pacer } from '../pacer.js';
import type { Candidate } from './candidate.js';
import { decode, memorySizes } from './formula.js';
import type { Batching } from '../problem.js';
import type { PlanSpace, Point } from './plan-space.js';

/** More plans, or more topologies, are not enumerated. */
const MOST_PLANS = 1_000_000;
const MOST_TOPOLOGIES = 20_000;
/** Of a proposer's time: the rest is for ranking and for the twin, without which nothing that was enumerated is known. */
const ENUMERATING = 0.35;
/** Plans between two looks at the clock. */
const PORTION = 1024;

/** Why a space cannot be enumerated, in words. */
export interface NotEnumerable {
  readonly reason: string;
}

/**
 * Every plan of a chain: cuts between its functions × batching × memory of each stage. Order, partitions and whatever else rewrites can change stay
 * as they are. A plan is a number; there is an object per topology and none per plan.
 */
export class ChainSpace {
  private constructor(
    private readonly space: PlanSpace,
    private readonly candidates: readonly Candidate[],
    /** Number of the first plan of each candidate. */
    private readonly first: Float64Array,
    readonly plans: number,
  ) {}

  /** Topologies that no series of legal splits and fusions reaches are no part of it. */
  static async of(space: PlanSpace, pacer: Pacer): Promise<ChainSpace | NotEnumerable> {
    const { topology } = space.start;
    const nodes = pathOf(topology);
    if (nodes === undefined) return { reason: 'the stable topology is not a chain of stages' };
    const batchings = space.batchings.length;
    const cuts = 2 ** (nodes.length - 1);
    const chain = `a chain of ${nodes.length} functions at ${batchings} batchings has`;
    if (cuts * batchings > MOST_TOPOLOGIES) return { reason: `${chain} ${cuts * batchings} topologies; ${MOST_TOPOLOGIES} are the most` };
    const bound = batchings * plansPerBatching(space, nodes);
    if (bound > MOST_PLANS) return { reason: `${chain} ${bound} plans; ${MOST_PLANS} are the most` };
    const candidates: Candidate[] = [];
    for (let mask = 0; mask < cuts; mask++)
      for (const batching of space.batchings) {
        const candidate = reach(space, nodes, mask, batching);
        if (candidate !== undefined) candidates.push(candidate);
        await pacer.breathe();
        if (pacer.usedShare >= ENUMERATING) return { reason: `the time was not enough for its ${cuts * batchings} topologies` };
      }
    const first = new Float64Array(candidates.length + 1);
    candidates.forEach(({ formula }, i) => {
      first[i + 1] = first[i]! + formula.sizes.reduce((product, { length }) => product * length, 1);
    });
    return new ChainSpace(space, candidates, first, first[candidates.length]!);
  }

  /** By formula, of every plan by its number; infinite where a working set does not fit, and where the time was not enough (`all`: for none). */
  async scores(pacer: Pacer): Promise<{ readonly scores: Float64Array; readonly all: boolean }> {
    const scores = new Float64Array(this.plans).fill(Number.POSITIVE_INFINITY);
    for (const [i, { formula }] of this.candidates.entries()) {
      const memory = new Float64Array(formula.sizes.length);
      const [begin, end] = [this.first[i]!, this.first[i + 1]!];
      for (let plan = begin; plan < end; plan++) {
        if (plan % PORTION === 0) {
          await pacer.breathe();
          if (pacer.usedShare >= ENUMERATING) return { scores, all: false };
        }
        decode(formula.sizes, plan - begin, memory);
        scores[plan] = formula.score(memory);
      }
    }
    return { scores, all: true };
  }

  point(plan: number): Point {
    let [low, high] = [0, this.candidates.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.first[middle]! <= plan) low = middle;
      else high = middle - 1;
    }
    const candidate = this.candidates[low]!;
    const memory = new Float64Array(candidate.formula.sizes.length);
    decode(candidate.formula.sizes, plan - this.first[low]!, memory);
    return { candidate, memoryMb: [...memory] };
  }
}

/** Numbers of the k least scores, ascending; of equal ones the first. */
export function least(scores: Float64Array, k: number): number[] {
  const kept: number[] = [];
  for (let plan = 0; plan < scores.length; plan++) {
    const score = scores[plan]!;
    if (!Number.isFinite(score) || (kept.length >= k && score >= scores[kept.at(-1)!]!)) continue;
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[kept[middle]!]! <= score) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, plan);
    if (kept.length > k) kept.pop();
  }
  return kept;
}

/** Plans at one batching, cuts × memory of each stage, were every cut reachable: of the first j functions, those of every last stage times those before it. */
function plansPerBatching({ problem }: PlanSpace, nodes: readonly string[]): number {
  const ways = [1];
  for (let end = 1; end <= nodes.length; end++) {
    const lastFrom = (begin: number): number => ways[begin]! * memorySizes(problem, stageName(nodes.slice(begin, end))).length;
    ways.push(Array.from({ length: end }, (_, begin) => lastFrom(begin)).reduce((sum, count) => sum + count, 0));
  }
  return ways[nodes.length]!;
}

/** Functions in running order, where every stage has one before it and one behind it at most. */
function pathOf({ stages }: Topology): string[] | undefined {
  const behind = new Map(stages.flatMap((stage) => stage.after.map((before) => [before, stage] as const)));
  const heads = stages.filter(({ after }) => after.length === 0);
  if (heads.length !== 1 || stages.some(({ after }) => after.length > 1)) return undefined;
  const nodes: string[] = [];
  let length = 0;
  for (let stage = heads[0]; stage !== undefined; stage = behind.get(stage.name)) {
    nodes.push(...stage.nodes);
    length++;
  }
  return length === stages.length ? nodes : undefined;
}

/** Bit i of `mask`: a stage ends behind function i. Splits first or fusions first, batching first or last: whichever is legal. */
function reach(space: PlanSpace, nodes: readonly string[], mask: number, batching: Batching): Candidate | undefined {
  const cut = (i: number): boolean => ((mask >> i) & 1) === 1;
  const inner = nodes.slice(1).map((_, i) => i);
  const split = (from: Candidate): Candidate | undefined => inner.filter(cut).reduce(apply(splitBehind), from);
  const fuse = (from: Candidate): Candidate | undefined => inner.filter((i) => !cut(i)).reduce(apply(fuseBehind), from);
  const batch = (from: Candidate): Candidate | undefined => space.rebatched(from, batching);
  const orders = [
    [split, fuse, batch],
    [fuse, split, batch],
    [batch, split, fuse],
    [batch, fuse, split],
  ];
  for (const order of orders) {
    const end = order.reduce<Candidate | undefined>((from, change) => from && change(from), space.start);
    if (end !== undefined) return end;
  }
  return undefined;

  function apply(stepAt: (topology: Topology, i: number) => Step | undefined) {
    return (from: Candidate | undefined, i: number): Candidate | undefined => {
      if (from === undefined) return undefined;
      const step = stepAt(from.topology, i);
      return step === undefined ? from : space.step(from, [step]);
    };
  }
  function splitBehind({ stages }: Topology, i: number): Step | undefined {
    const stage = stages.find((one) => one.nodes.includes(nodes[i]!))!;
    const at = stage.nodes.indexOf(nodes[i]!) + 1;
    return at === stage.nodes.length ? undefined : { rewrite: 'split', stage: stage.name, at };
  }
  function fuseBehind({ stages }: Topology, i: number): Step | undefined {
    const [first, second] = [nodes[i]!, nodes[i + 1]!].map((node) => stages.find((one) => one.nodes.includes(node))!.name);
    return first === second ? undefined : { rewrite: 'fuse', first: first!, second: second! };
  }
}
