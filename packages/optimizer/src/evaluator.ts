import { hashTopology, type Allocation } from '@autoflow/topology';
import { arrivalsOf, periodMs, planModel, PlanError, simulate, type Load, type PlanModel, type Simulation } from '@autoflow/twin';
import { Pacer, type CpuClock } from './pacer.js';
import type { Budget, Plan, Problem } from './problem.js';
import { keepsLimits, limitsFirst, refusal, SCORE, scoreOf, type Figures, type Judged } from './score.js';

/** One plan, as the twin judges it. */
export interface Evaluation extends Judged {
  readonly plan: Plan;
  readonly figures: Figures;
  /** With the load of an arm of its rollout, where something is asked of that. */
  readonly rolloutP95Ms?: number;
  /** The guardrail of the rollout would take it back: it is not proposed, whatever its score. */
  readonly isRefused: boolean;
}

/** Records of one evaluation: enough batches for a p95; the same records for every plan, but more of them for batches that hold most of them. */
const LEAST_RECORDS = 500;
const MOST_RECORDS = 3000;
const BATCHES = 15;
const FEWEST_BATCHES = 6;

/**
 * The twin, asked by all proposers: the same records arrive at the same times with the same noise for every plan (common random numbers), and a plan
 * that one has asked about costs no time again. What it counts, it counts per account.
 */
export class Evaluator {
  private readonly arrivals: Float64Array;
  /** For plans of larger batches. */
  private longer: Float64Array;
  private readonly known = new Map<string, Evaluation | undefined>();
  /** In the arm of a rollout, and what p95 may be there: none where what runs cannot run in the twin. */
  private readonly arm?: { readonly arrivals: Float64Array; readonly limitMs: number | undefined };

  constructor(
    private readonly problem: Problem,
    largestBatch: number,
  ) {
    const records = Math.min(MOST_RECORDS, Math.max(LEAST_RECORDS, BATCHES * largestBatch, recordsOfShape(problem)));
    this.arrivals = this.longer = arrivalsOf(problem, records, problem.seed + 1);
    const { rollout, start } = problem;
    if (rollout === undefined) return;
    const arm = arrivalsOf({ ...problem, ratePerSecond: rollout.ratePerSecond }, LEAST_RECORDS, problem.seed + 1);
    const running = runnable(() => this.p95(start, arm));
    this.arm = { arrivals: arm, limitMs: running === undefined ? undefined : rollout.p95 * running };
  }

  /** Every plan that the twin was asked about and could answer. */
  get evaluations(): Evaluation[] {
    return [...this.known.values()].filter((one) => one !== undefined);
  }

  /** Of one evaluation, and how fast they really come: a finite sample is a little faster or slower than the rate that it is drawn from. */
  get records(): number {
    return this.arrivals.length;
  }
  get arrivingPerSecond(): number {
    return (this.arrivals.length / this.arrivals.at(-1)!) * 1000;
  }

  account(budget: Budget, signal?: AbortSignal, cpu?: CpuClock): Account {
    return new Account(this, budget, signal, cpu);
  }

  /** Undefined: the plan cannot run, for a working set does not fit. */
  evaluate(plan: Plan, key = keyOf(plan)): Evaluation | undefined {
    if (!this.known.has(key)) this.known.set(key, this.simulated(plan));
    return this.known.get(key);
  }

  /** What another one has been told of the same problem, so that nobody needs to ask again. */
  know(evaluations: readonly Evaluation[]): void {
    for (const one of evaluations) {
      const key = keyOf(one.plan);
      if (!this.known.has(key)) this.known.set(key, one);
    }
  }

  model({ topology }: Pick<Plan, 'topology'>): PlanModel {
    const { spec, models, host, recordBytes } = this.problem;
    return planModel({ spec, topology, models, host, recordBytes });
  }

  private simulated(plan: Plan): Evaluation | undefined {
    return runnable(() => {
      const { problem, arm } = this;
      const arrivals = this.arrivalsOf(plan);
      const { costPer1000, latencyMs, throughput } = this.simulation(plan, arrivals, problem.seed + 1);
      const figures = { costPer1000: costPer1000.all, p95Ms: latencyMs.p95, p99Ms: latencyMs.p99, throughput };
      const rate = carried(problem.ratePerSecond, arrivals);
      const rolloutP95Ms = arm && this.p95(plan, arm.arrivals);
      // What runs is not rolled out.
      const refused = rolloutP95Ms === undefined || isStart(problem, plan) ? 0 : refusal(rolloutP95Ms, arm!.limitMs);
      return {
        plan,
        figures,
        score: scoreOf(problem.objective, rate, figures) + refused,
        keepsLimits: refused === 0 && keepsLimits(problem.objective, rate, figures),
        isRefused: refused > 0,
        ...(rolloutP95Ms !== undefined && { rolloutP95Ms }),
      };
    });
  }

  /** With the probes that the feeder sends. */
  simulation({ topology, allocation }: Omit<Plan, 'steps'>, arrivals: Float64Array, seed: number): Simulation {
    const probes = topology.batch.records === 1 ? (this.problem.probeShare ?? 0) : 0;
    return simulate(this.model({ topology }), allocation, { arrivals, seed, probes, openExecutions: 'fed' });
  }

  private p95(plan: Omit<Plan, 'steps'>, arrivals: Float64Array): number {
    return this.simulation(plan, arrivals, this.problem.seed + 1).latencyMs.p95;
  }

  private arrivalsOf(plan: Plan): Float64Array {
    const records = Math.max(this.arrivals.length, FEWEST_BATCHES * this.model(plan).batchRecords);
    if (records === this.arrivals.length) return this.arrivals;
    if (records > this.longer.length) this.longer = arrivalsOf(this.problem, records, this.problem.seed + 1);
    return this.longer.subarray(0, records);
  }
}

/** Of all that a load does that varies; none: it is steady. */
export function recordsOfShape({ ratePerSecond, shape = [] }: Load): number {
  return Math.ceil((ratePerSecond * periodMs(shape)) / 1000);
}

function isStart({ start }: Problem, plan: Plan): boolean {
  return keyOf(plan) === keyOf({ ...start, steps: [] });
}

/** Undefined: a working set does not fit. */
function runnable<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof PlanError && error.code === 'MEMORY_TOO_SMALL') return undefined;
    throw error;
  }
}

/** What one proposer has used of its budget. */
export class Account {
  private readonly asked = new Set<string>();
  private readonly found: Evaluation[] = [];
  readonly pacer: Pacer;

  constructor(
    private readonly evaluator: Evaluator,
    readonly budget: Budget,
    signal?: AbortSignal,
    cpu?: CpuClock,
  ) {
    this.pacer = new Pacer(signal, budget, cpu);
  }

  get exhausted(): boolean {
    return this.asked.size >= this.budget.evaluations || this.pacer.over;
  }

  get left(): number {
    return this.pacer.over ? 0 : this.budget.evaluations - this.asked.size;
  }

  get used(): { readonly evaluations: number; readonly ms: number } {
    return { evaluations: this.asked.size, ms: this.pacer.usedMs };
  }

  /** In the order in which it was asked about. */
  get evaluations(): readonly Evaluation[] {
    return this.found;
  }

  /** All that was asked about, the best first: see `limitsFirst`. */
  get ranked(): Evaluation[] {
    return this.found.toSorted(limitsFirst);
  }

  /** Undefined when the plan cannot run, or the budget is used up: see `exhausted`. Asking again about a plan is free. */
  async twin(plan: Plan): Promise<Evaluation | undefined> {
    await this.pacer.breathe();
    const key = keyOf(plan);
    const asked = this.asked.has(key);
    if (!asked && this.exhausted) return undefined;
    this.asked.add(key);
    const evaluation = this.evaluator.evaluate(plan, key);
    if (evaluation !== undefined && !asked) this.found.push(evaluation);
    return evaluation;
  }
}

/** By what it runs as. */
export function keyOf({ topology, allocation }: Plan): string {
  return `${hashTopology(topology)} ${Object.entries(sorted(allocation))
    .map(([stage, { memoryMb, concurrency }]) => `${stage}:${memoryMb}x${concurrency}`)
    .join(' ')}`;
}

function sorted(allocation: Allocation): Allocation {
  return Object.fromEntries(Object.entries(allocation).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What in these arrivals can be carried: a finite sample may come slower than the rate that it is drawn from. */
function carried(ratePerSecond: number, arrivals: Float64Array): number {
  return Math.min(ratePerSecond, (arrivals.length / arrivals.at(-1)!) * 1000) * SCORE.sample;
}
