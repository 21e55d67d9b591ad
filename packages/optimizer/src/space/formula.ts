import { defaultEnvelope, limitedResources, type Allocation, type Envelope, type Topology } from '@autoflow/topology';
import { AnalyticModel, COST, P95, planModel, rateSeen, THROUGHPUT, type PlanModel } from '@autoflow/twin';
import type { Problem } from '../problem.js';
import { refusal, scoreOf } from '../score.js';

/** Fewer combinations of memory sizes than this are all tried; more are improved stage by stage. */
const ALL_TRIED = 512;
const ROUNDS = 3;

/**
 * The allocations of one topology by formula: memory is chosen, instances follow by the staffing rule ⌈1.2ρ + 1.5√ρ⌉ within the envelope and the
 * limits of resources. Arrays go by stage in the order of `plan.stages`.
 */
export class Formula {
  readonly plan: PlanModel;
  /** Memory sizes that each stage may have, ascending. */
  readonly sizes: readonly (readonly number[])[];
  /** Of the last score that was asked for. */
  readonly concurrency: Float64Array;
  /** In bursts instances and batches are for what then comes. */
  private readonly ratePerSecond: number;
  private readonly model: AnalyticModel;
  private readonly fewest: Float64Array;
  private readonly most: Float64Array;
  private readonly resources: readonly { readonly most: number; readonly users: readonly number[] }[];

  /** In the arm of a rollout, where something is asked of that. */
  private readonly arm?: AnalyticModel;

  /** `tail`: p99 by p95, which the formula does not tell. `rolloutP95Ms`: what the guardrail of the rollout lets pass. */
  constructor(
    private readonly problem: Problem,
    topology: Topology,
    private readonly tail: number,
    private readonly rolloutP95Ms: number | undefined,
  ) {
    const { spec, models, host, recordBytes, rollout } = problem;
    this.plan = planModel({ spec, topology, models, host, recordBytes });
    this.ratePerSecond = rateSeen(problem);
    this.model = new AnalyticModel(this.plan, { ratePerSecond: this.ratePerSecond });
    if (rollout !== undefined) this.arm = new AnalyticModel(this.plan, { ratePerSecond: rateSeen({ ...problem, ...rollout }) });
    const envelope = envelopeOf(problem, topology);
    const { stages } = this.plan;
    this.sizes = stages.map(({ name }) => envelope[name]?.memoryMb ?? []);
    this.fewest = Float64Array.from(stages, ({ name }) => envelope[name]?.concurrency.min ?? 1);
    this.most = Float64Array.from(stages, ({ name }) => envelope[name]?.concurrency.max ?? 1);
    this.concurrency = new Float64Array(stages.length);
    const index = new Map(stages.map(({ name }, s) => [name, s]));
    this.resources = limitedResources(spec, topology).map(({ concurrency, users }) => ({
      most: concurrency,
      users: users.map((user) => index.get(user) ?? 0),
    }));
  }

  /** Infinite where a working set does not fit. */
  score(memoryMb: ArrayLike<number>): number {
    let result = this.model.evaluate(memoryMb);
    if (result === undefined) return Number.POSITIVE_INFINITY;
    if (this.bound()) result = this.model.evaluate(memoryMb, this.concurrency) ?? result;
    const p95Ms = result[P95]!;
    const score = scoreOf(this.problem.objective, this.ratePerSecond, {
      costPer1000: result[COST]!,
      p95Ms,
      p99Ms: p95Ms * this.tail,
      throughput: result[THROUGHPUT]!,
    });
    const inRollout = this.arm?.evaluate(memoryMb, this.concurrency);
    return inRollout === undefined ? score : score + refusal(inRollout[P95]!, this.rolloutP95Ms);
  }

  /** Of the stages; infinite score: none fits. Exact for few combinations. */
  bestMemory(): { readonly memoryMb: number[]; readonly score: number } {
    const combinations = this.sizes.reduce((product, { length }) => product * length, 1);
    return combinations <= ALL_TRIED ? this.tryAll(combinations) : this.improve();
  }

  allocation(memoryMb: ArrayLike<number>): Allocation {
    this.score(memoryMb);
    return Object.fromEntries(this.plan.stages.map(({ name }, s) => [name, { memoryMb: memoryMb[s]!, concurrency: this.concurrency[s]! }]));
  }

  private tryAll(combinations: number): { readonly memoryMb: number[]; readonly score: number } {
    const memory = new Float64Array(this.sizes.length);
    let best = { memoryMb: this.largest(), score: Number.POSITIVE_INFINITY };
    for (let choice = 0; choice < combinations; choice++) {
      decode(this.sizes, choice, memory);
      const score = this.score(memory);
      if (score < best.score) best = { memoryMb: [...memory], score };
    }
    return best;
  }

  /** From the largest, where everything fits that can: each stage in turn takes the size that is best while the others stay. */
  private improve(): { readonly memoryMb: number[]; readonly score: number } {
    const memoryMb = this.largest();
    let least = this.score(memoryMb);
    for (let round = 0, changed = true; changed && round < ROUNDS; round++) {
      changed = false;
      for (const [s, sizes] of this.sizes.entries()) {
        for (const size of sizes) {
          const before = memoryMb[s]!;
          if (size === before) continue;
          memoryMb[s] = size;
          const score = this.score(memoryMb);
          if (score < least) [least, changed] = [score, true];
          else memoryMb[s] = before;
        }
      }
    }
    return { memoryMb, score: least };
  }

  private largest(): number[] {
    return this.sizes.map((sizes) => sizes.at(-1) ?? 0);
  }

  /** Takes the instances of the last evaluation within what is allowed; whether that changed any. */
  private bound(): boolean {
    const { concurrency, fewest, most } = this;
    let bounded = false;
    for (let s = 0; s < concurrency.length; s++) {
      const wanted = this.model.concurrency[s]!;
      concurrency[s] = Math.max(fewest[s]!, Math.min(wanted, most[s]!));
      bounded ||= concurrency[s] !== wanted;
    }
    for (const { most: limit, users } of this.resources) {
      let excess = -limit;
      for (const user of users) excess += concurrency[user]!;
      for (; excess > 0; excess--) {
        const spare = (user: number): number => concurrency[user]! - fewest[user]!;
        const giver = users
          .filter((user) => spare(user) > 0)
          .reduce<number | undefined>((a, b) => (a !== undefined && concurrency[a]! >= concurrency[b]! ? a : b), undefined);
        if (giver === undefined) break;
        concurrency[giver]!--;
        bounded = true;
      }
    }
    return bounded;
  }
}

/** The choice of that number: stage by stage, the first one turning fastest. */
export function decode(sizes: readonly (readonly number[])[], choice: number, into: Float64Array): void {
  for (let s = 0, rest = choice; s < sizes.length; s++) {
    const own = sizes[s]!;
    into[s] = own[rest % own.length]!;
    rest = Math.floor(rest / own.length);
  }
}

/** What allocations of a topology may do within the problem's limits. */
export function envelopeOf(problem: Problem, topology: Topology): Envelope {
  const { spec, limits } = problem;
  return Object.fromEntries(
    Object.entries(defaultEnvelope(spec, topology)).map(([stage, bounds]) => {
      const kept = keptOf(problem, stage);
      const max = Math.max(1, Math.min(bounds.concurrency.max, limits.instances, kept?.concurrency.max ?? limits.instances));
      const min = Math.min(max, kept?.concurrency.min ?? 1);
      return [stage, { memoryMb: memorySizes(problem, stage), concurrency: { min, max } }];
    }),
  );
}

/** Memory sizes that a stage of this name may have, ascending. */
export function memorySizes(problem: Problem, stage: string): number[] {
  const kept = keptOf(problem, stage);
  const { memoryMb } = problem.limits;
  const within = memoryMb.filter((size) => kept === undefined || kept.memoryMb.includes(size));
  return within.length > 0 ? within : [...(kept?.memoryMb ?? memoryMb)];
}

/** A stage that keeps its name keeps its bounds. */
const keptOf = ({ start: { envelope } }: Problem, stage: string): Envelope[string] | undefined =>
  envelope !== undefined && Object.hasOwn(envelope, stage) ? envelope[stage] : undefined;
