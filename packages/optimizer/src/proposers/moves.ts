import type { Candidate } from '../space/candidate.js';
import type { PlanSpace, Point } from '../space/plan-space.js';

const TRIES = 40;
const MEMORY_MOVES = 0.5;

/** A plan some random steps away from the start, with random memory that fits. */
export function randomPoint(space: PlanSpace, random: () => number): Point {
  let candidate = space.start;
  const steps = Math.floor(random() * (2 * space.problem.spec.nodes.length + 1));
  for (let i = 0; i < steps; i++) candidate = space.neighbours(candidate, random, 1)[0] ?? candidate;
  candidate = space.rebatched(candidate, space.batchings[Math.floor(random() * space.batchings.length)]!) ?? candidate;
  return withRandomMemory(candidate, random);
}

/** One stage gets the next memory size up or down, or the topology takes a step and new stages keep the memory of what they are made of. */
export function randomNeighbour(space: PlanSpace, from: Point, random: () => number): Point | undefined {
  if (random() < MEMORY_MOVES) return withOneMemory(from, random);
  const [next] = space.neighbours(from.candidate, random, 1);
  return next === undefined ? withOneMemory(from, random) : fitting(carried(from, next));
}

/** The start with the memory that it has, where it fits; its instances are those that every plan gets, by the rule. */
export function startPoint(space: PlanSpace): Point {
  const { start, limits } = space.problem;
  const { formula } = space.start;
  const memoryMb = formula.plan.stages.map(({ name }, s) => {
    const wanted = start.allocation[name]?.memoryMb ?? limits.memoryMb[0]!;
    return formula.sizes[s]!.find((size) => size >= wanted) ?? formula.sizes[s]!.at(-1)!;
  });
  return { candidate: space.start, memoryMb };
}

function withRandomMemory(candidate: Candidate, random: () => number): Point {
  const { formula } = candidate;
  for (let i = 0; i < TRIES; i++) {
    const memoryMb = formula.sizes.map((sizes) => sizes[Math.floor(random() * sizes.length)]!);
    if (Number.isFinite(formula.score(memoryMb))) return { candidate, memoryMb };
  }
  return { candidate, memoryMb: formula.sizes.map((sizes) => sizes.at(-1)!) };
}

function withOneMemory({ candidate, memoryMb }: Point, random: () => number): Point | undefined {
  const { sizes } = candidate.formula;
  const s = Math.floor(random() * sizes.length);
  const at = sizes[s]!.indexOf(memoryMb[s]!) + (random() < 0.5 ? -1 : 1);
  const size = sizes[s]![at];
  return size === undefined ? undefined : fitting({ candidate, memoryMb: memoryMb.with(s, size) });
}

function carried({ candidate: from, memoryMb }: Point, candidate: Candidate): Point {
  const memoryOf = new Map(
    from.topology.stages.flatMap(({ name, nodes }) => {
      const s = from.formula.plan.stages.findIndex((stage) => stage.name === name);
      return nodes.map((node) => [node, memoryMb[s]!] as const);
    }),
  );
  const { plan, sizes } = candidate.formula;
  const nodesOf = new Map(candidate.topology.stages.map(({ name, nodes }) => [name, nodes]));
  return {
    candidate,
    memoryMb: plan.stages.map(({ name }, s) => {
      const wanted = Math.max(...nodesOf.get(name)!.map((node) => memoryOf.get(node)!));
      return sizes[s]!.find((size) => size >= wanted) ?? sizes[s]!.at(-1)!;
    }),
  };
}

function fitting(point: Point): Point | undefined {
  return Number.isFinite(point.candidate.formula.score(point.memoryMb)) ? point : undefined;
}
