/** Baseline 3: the best single plan for a whole trace, found by search in the twin on that very trace. */
import { propose, type Objective, type Plan, type Problem } from '@autoflow/optimizer';
import { defaultEnvelope, MEMORY_SIZES_MB, validateAllocation, type Allocation, type Topology } from '@autoflow/topology';
import { planModel, PlanError, simulate, type PlanModel, type Simulation, type Trace } from '@autoflow/twin';

export interface StaticPlan {
  readonly topology: Topology;
  readonly allocation: Allocation;
  /** On the trace that it was searched on. */
  readonly predicted: Pick<Simulation, 'latencyMs' | 'costPer1000' | 'throughput' | 'provisionedMbS'>;
  readonly evaluations: number;
}

type Point = Pick<StaticPlan, 'topology' | 'allocation'>;

const SEARCH_MS = 15_000;
/** Topologies that are tried on the trace, the cheapest first. */
const MOST_STARTS = 6;
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const LINGERS_MS = [0, 5, 10, 20, 50, 100, 200, 500, 1000];
const SEED = 1;
/** Of two plans that cost the same, the one that holds less memory. */
const MEMORY_WEIGHT = 0.02;

/**
 * A tournament of plain proposers at the mean and at the peak of the trace gives topologies; from each of them batch, linger, memory and instances are
 * climbed on the trace itself, until no single change is better or the budget is used up.
 */
export async function bestStatic(
  problem: Omit<Problem, 'ratePerSecond' | 'objective'>,
  objective: Objective,
  trace: Trace,
  peak: number,
  evaluations: number,
): Promise<StaticPlan> {
  const arrivals = Float64Array.from(trace.arrivals(SEED));
  const mean = (1000 * arrivals.length) / trace.durationMs;
  const starts: Point[] = [];
  for (const ratePerSecond of [mean, peak * mean]) {
    const proposed = await propose({ ...problem, ratePerSecond, objective }, { budget: { evaluations, ms: SEARCH_MS } });
    const plans: readonly Plan[] = [...(proposed.winner ? [proposed.winner.plan] : []), ...proposed.front.map(({ plan }) => plan)];
    starts.push(...plans.slice(0, MOST_STARTS / 2));
  }
  const search = new OnTrace(problem, objective, arrivals);
  let best: Judged | undefined;
  for (const start of starts) {
    const found = climb(search, start, Math.ceil(evaluations / starts.length));
    if (found !== undefined && (best === undefined || found.score < best.score)) best = found;
  }
  if (best === undefined) throw new Error(`no plan can run the trace ${trace.name}`);
  const { point, simulation } = best;
  const { latencyMs, costPer1000, throughput, provisionedMbS } = simulation;
  return { ...point, predicted: { latencyMs, costPer1000, throughput, provisionedMbS }, evaluations: search.evaluations };
}

interface Judged {
  readonly point: Point;
  readonly simulation: Simulation;
  readonly score: number;
}

class OnTrace {
  evaluations = 0;
  private readonly models = new Map<string, PlanModel>();

  constructor(
    private readonly problem: Omit<Problem, 'ratePerSecond' | 'objective'>,
    private readonly objective: Objective,
    private readonly arrivals: Float64Array,
  ) {}

  /** Undefined: it cannot run, or it may not. */
  judge(point: Point): Judged | undefined {
    const { spec, models, host, recordBytes } = this.problem;
    if (validateAllocation(spec, point.topology, defaultEnvelope(spec, point.topology), point.allocation).length > 0) return undefined;
    const key = JSON.stringify(point.topology);
    const model = this.models.get(key) ?? planModel({ spec, topology: point.topology, models, host, recordBytes });
    this.models.set(key, model);
    this.evaluations++;
    try {
      const simulation = simulate(model, point.allocation, { arrivals: this.arrivals, seed: SEED, openExecutions: 'fed' });
      return { point, simulation, score: this.score(simulation) };
    } catch (error) {
      if (error instanceof PlanError) return undefined;
      throw error;
    }
  }

  private score({ costPer1000, latencyMs, provisionedMbS }: Simulation): number {
    const { p95Ms = Number.POSITIVE_INFINITY, p99Ms = Number.POSITIVE_INFINITY } = this.objective;
    const late = Math.max(0, Math.log(latencyMs.p95 / p95Ms)) + Math.max(0, Math.log(latencyMs.p99 / p99Ms));
    return Math.log(costPer1000.all) + (late > 0 ? 1 + 2 * late : 0) + MEMORY_WEIGHT * Math.log(provisionedMbS);
  }
}

function climb(search: OnTrace, start: Point, budget: number): Judged | undefined {
  const until = search.evaluations + budget;
  let best = search.judge(start);
  for (let improved = best !== undefined; improved && search.evaluations < until;) {
    improved = false;
    for (const point of neighbours(best!.point)) {
      if (search.evaluations >= until) break;
      const found = search.judge(point);
      if (found !== undefined && found.score < best!.score) [best, improved] = [found, true];
    }
  }
  return best;
}

/** One thing changed by one step. */
function neighbours({ topology, allocation }: Point): Point[] {
  const { records } = topology.batch;
  const batch = (size: number, lingerMs: number): Point => ({
    topology: { ...topology, batch: { ...topology.batch, records: size }, lingerMs: size === 1 ? 0 : lingerMs },
    allocation,
  });
  const stage = (name: string, change: Partial<Allocation[string]>): Point => ({
    topology,
    allocation: { ...allocation, [name]: { ...allocation[name]!, ...change } },
  });
  return [
    ...beside(SIZES, records).map((size) => batch(size, topology.lingerMs)),
    ...beside(LINGERS_MS, topology.lingerMs).map((lingerMs) => batch(records, lingerMs)),
    ...topology.stages.flatMap(({ name }) => {
      const { memoryMb, concurrency } = allocation[name]!;
      const instances = [concurrency - 1, concurrency + 1, concurrency * 2].filter((n) => n >= 1 && n <= 32);
      return [
        ...instances.map((n) => stage(name, { concurrency: n })),
        ...beside(MEMORY_SIZES_MB, memoryMb).map((size) => stage(name, { memoryMb: size })),
      ];
    }),
  ];
}

function beside(ladder: readonly number[], value: number): number[] {
  const below = ladder.filter((rung) => rung < value).at(-1);
  const above = ladder.find((rung) => rung > value);
  return [below, above].filter((rung) => rung !== undefined);
}
