import { PlanSpace, type Batching, type Candidate, type Point, type Problem } from '@autoflow/optimizer';
import {
  chainShape,
  drawDag,
  familyOf,
  loadOf,
  planFeatures,
  randomProblem,
  utility,
  type Scorer,
  type Shape,
  type Utility,
} from '@autoflow/learning';
import { uniform } from '@autoflow/twin';

export const KINDS = ['chain-5', 'chain-6', 'joins'] as const;
export type Kind = (typeof KINDS)[number];

/** A pipeline of a family that nothing was learned from, with every plan that it may have. */
export interface Drawn {
  readonly kind: Kind;
  readonly family: string;
  readonly problem: Problem;
  readonly space: PlanSpace;
  readonly batchings: readonly Batching[];
  readonly points: readonly Point[];
  /** For what else is drawn of it. */
  readonly random: () => number;
}

/** More plans of one pipeline are not all simulated: another pipeline is drawn. */
const MOST_PLANS = 6000;
const FEWEST_PLANS = 200;

/** So many pipelines of a kind, from a seed on. */
export function* drawn(kind: Kind, firstSeed: number, count: number): Generator<Drawn & { readonly seed: number }> {
  for (let seed = firstSeed, done = 0; done < count; seed++) {
    const one = draw(kind, seed);
    if (one === undefined) continue;
    done++;
    yield { ...one, seed };
  }
}

/** Undefined where the space is too large, or hardly a choice. */
function draw(kind: Kind, seed: number): Drawn | undefined {
  const random = uniform(seed);
  const shape: Shape = kind === 'joins' ? drawDag('test', 4 + Math.floor(2 * random()), random) : chainShape(kind === 'chain-5' ? 5 : 6);
  const problem = randomProblem(shape, seed);
  // The widest batches that the promise leaves time for.
  const batchings = [1, kind === 'chain-6' ? 8 : 4, 16]
    .map((records) => batching(records, problem))
    .filter(({ lingerMs }) => lingerMs <= problem.objective.p95Ms! / 2);
  const memoryMb = kind === 'chain-6' ? [512, 1769] : problem.limits.memoryMb;
  const own: Problem = {
    ...problem,
    limits: { ...problem.limits, memoryMb },
    space: { rewrites: ['fuse', 'split', 'parallelise', 'serialise'], batchings },
  };
  const space = new PlanSpace(own);
  const points = everyPoint(space);
  if (points === undefined || points.length < FEWEST_PLANS) return undefined;
  return { kind, family: familyOf(shape), problem: own, space, batchings, points, random };
}

/** What the scorer says that each of these plans is worth. */
export function saidOf(scorer: Scorer, { problem, space }: Pick<Drawn, 'problem' | 'space'>, points: readonly Point[]): Utility[] {
  const load = loadOf(problem);
  const heads = scorer.heads(points.map((point) => planFeatures(point.candidate.formula.plan, space.plan(point).allocation, load)));
  return points.map((_, i) =>
    utility(problem.objective, load.ratePerSecond, 1, heads.subarray(3 * i, 3 * i + 3), scorer.model.calibration.spread),
  );
}

/** Every topology that legal steps reach, with every memory that fits; undefined when they are too many. */
function everyPoint(space: PlanSpace): Point[] | undefined {
  const found = new Map<string, Candidate>();
  const queue = [space.start];
  const random = uniform(1);
  let plans = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next.hash)) continue;
    found.set(next.hash, next);
    // Counted before all are looked for: to reach the topologies of a wide graph takes minutes.
    plans += next.formula.sizes.reduce((product, sizes) => product * sizes.length, 1);
    if (plans > MOST_PLANS) return undefined;
    queue.push(...space.neighbours(next, random, 1000));
  }
  const points: Point[] = [];
  for (const candidate of found.values()) {
    let memories: number[][] = [[]];
    for (const sizes of candidate.formula.sizes) memories = memories.flatMap((before) => sizes.map((size) => [...before, size]));
    for (const memoryMb of memories) if (fits({ candidate, memoryMb })) points.push({ candidate, memoryMb });
  }
  return points;
}

export const fits = ({ candidate, memoryMb }: Point): boolean => Number.isFinite(candidate.formula.score(memoryMb));

function batching(records: number, { ratePerSecond }: Problem): Batching {
  return {
    records,
    lingerMs: [0, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((rung) => rung >= ((records - 1) / ratePerSecond) * 1000) ?? 5000,
  };
}
