import type { Topology } from '@autoflow/topology';
import { applyStep, rewrites, type Context, type Limits, type Rewrite, type Step } from '@autoflow/topology/rewrites';
import { AnalyticModel, modelOf, PlanError, planModel, rateSeen } from '@autoflow/twin';
import type { Batching, Plan, Problem } from '../problem.js';
import { batchingsFor } from './batchings.js';
import { candidateOf, type Candidate } from './candidate.js';
import { Formula } from './formula.js';

/** A candidate with the memory of its stages, in the order of its formula. */
export interface Point {
  readonly candidate: Candidate;
  readonly memoryMb: readonly number[];
}

/** Places whose conditions are looked at for one legal step: on a wide graph most of thousands are not worth it. */
const TRIED_PER_STEP = 6;
/** What changes nothing that the twin predicts is left to the choice of the winner, which drops all that is dead in it. */
const UNSEEN: readonly Step['rewrite'][] = ['drop-dead-fields'];
/** They come together, as one batching. */
const BATCHING: readonly Step['rewrite'][] = ['batch-size', 'linger'];

/** All plans that legal rewrites reach from the start, never enumerated: places are drawn, conditions are looked at only for those. */
export class PlanSpace {
  readonly start: Candidate;
  readonly batchings: readonly Batching[];
  readonly limits: Limits;
  /** By formula, what the guardrail of the rollout lets pass. */
  private readonly rolloutP95Ms: number | undefined;
  private readonly kinds: readonly Rewrite<Step>[];
  private readonly known = new Map<string, Candidate>();

  constructor(
    readonly problem: Problem,
    private readonly tail = 1,
  ) {
    const { start, objective, space = {} } = problem;
    // What has room only without the instance itself may be passed through: the twin runs no such plan, and no certificate is made of one.
    this.limits = { ...limitsOf(problem), instanceMb: 0 };
    this.rolloutP95Ms = rolloutP95Of(problem);
    const allowed = rewrites.filter(({ name }) => space.rewrites?.includes(name) ?? !UNSEEN.includes(name));
    this.kinds = allowed.filter(({ name }) => !BATCHING.includes(name));
    const batches = space.batchings !== undefined || allowed.some(({ name }) => BATCHING.includes(name));
    const filling = (): Batching[] => batchingsFor(start.topology, problem, objective, this.rolloutP95Ms);
    this.batchings = batches ? (space.batchings ?? filling()) : [batchingOf(start.topology)];
    this.start = this.candidate(start.topology, []);
  }

  /** Up to so many different neighbours, of every kind of rewrite in turn. Deterministic by `random`. */
  neighbours(from: Candidate, random: () => number, most: number): Candidate[] {
    const context: Context = { spec: this.problem.spec, topology: from.topology, limits: this.limits };
    const queues = [
      ...this.kinds.flatMap((kind) => {
        const places = shuffle(kind.places(context), random);
        const near = places.filter((step) => adjacent(from.topology, step));
        return [near, places.filter((step) => !near.includes(step))].map((steps) => steps.map((step) => () => this.step(from, [step])));
      }),
      shuffle([...this.batchings], random).map((batching) => () => this.rebatched(from, batching)),
    ].filter(({ length }) => length > 0);
    const found = new Map<string, Candidate>();
    let tries = most * TRIED_PER_STEP;
    for (let round = 0; found.size < most && tries > 0; round++) {
      const places = queues.flatMap((queue) => queue.slice(round, round + 1));
      if (places.length === 0) break;
      for (const place of shuffle(places, random)) {
        if (found.size >= most || tries-- <= 0) break;
        const next = place();
        if (next !== undefined && next.hash !== from.hash) found.set(next.hash, next);
      }
    }
    return [...found.values()];
  }

  rebatched(from: Candidate, { records, lingerMs }: Batching): Candidate | undefined {
    const { batch, lingerMs: now } = from.topology;
    return this.step(from, [
      ...(records === batch.records ? [] : [{ rewrite: 'batch-size' as const, records, bytes: batch.bytes }]),
      ...(lingerMs === now ? [] : [{ rewrite: 'linger' as const, lingerMs }]),
    ]);
  }

  /** Where legal steps lead; undefined when one of them is not legal. */
  step(from: Candidate, steps: readonly Step[]): Candidate | undefined {
    let { topology } = from;
    for (const step of steps) {
      const rewrite = rewrites.find(({ name }) => name === step.rewrite)!;
      const conditions = rewrite.conditions({ spec: this.problem.spec, topology, limits: this.limits }, step);
      if (!conditions.every(({ holds }) => holds)) return undefined;
      topology = applyStep(topology, step);
    }
    return steps.length === 0 ? from : this.candidate(topology, [...from.steps, ...steps]);
  }

  plan({ candidate: { topology, steps, formula }, memoryMb }: Point): Plan {
    return { topology, allocation: formula.allocation(memoryMb), steps };
  }

  /** The same topology is one candidate, with the steps that led to it first. */
  private candidate(topology: Topology, steps: readonly Step[]): Candidate {
    const made = candidateOf(topology, steps, (own) => new Formula(this.problem, own, this.tail, this.rolloutP95Ms));
    const before = this.known.get(made.hash);
    if (before === undefined) this.known.set(made.hash, made);
    return before ?? made;
  }
}

/** By formula, as plans are compared with it; undefined where nothing is asked, or what runs does not fit its memory. */
function rolloutP95Of(problem: Problem): number | undefined {
  const { spec, start, models, host, recordBytes, rollout } = problem;
  if (rollout === undefined) return undefined;
  try {
    const plan = planModel({ spec, topology: start.topology, models, host, recordBytes });
    return (
      rollout.p95 * new AnalyticModel(plan, { ratePerSecond: rateSeen({ ...problem, ...rollout }) }).predict(start.allocation).latencyMs.p95
    );
  } catch (error) {
    if (error instanceof PlanError && error.code === 'MEMORY_TOO_SMALL') return undefined;
    throw error;
  }
}

/** What the models say that functions need is what conditions of memory are decided by. */
export function limitsOf({ spec, models, limits, host }: Problem): Limits {
  const workingSets = spec.nodes.flatMap((node) => {
    const model = modelOf(models, node);
    return model === undefined ? [] : [[node.id, { fixedMb: model.memoryMb, perRecordMb: model.memoryPerRecordMb }] as const];
  });
  return { workingSets: Object.fromEntries(workingSets), memoryMb: Math.max(...limits.memoryMb), instanceMb: host.instanceMb };
}

export function batchingOf({ batch, lingerMs }: Topology): Batching {
  return { records: batch.records, lingerMs };
}

export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

/** Fusing neighbours spares a dispatch on the way of every record; of stages beside each other there are far more pairs. */
function adjacent({ stages }: Topology, step: Step): boolean {
  return step.rewrite === 'fuse' && (stages.find(({ name }) => name === step.second)?.after.includes(step.first) ?? false);
}
