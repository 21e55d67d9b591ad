import { validateAllocation, type Allocation } from '@autoflow/topology';
import {
  arrivalsOf,
  ControlEnvironment,
  cpuMs,
  ioMs,
  profileOf,
  type ControlScenario,
  type PlanModel,
  type ReplicatedSimulation,
} from '@autoflow/twin';
import { Evaluator, type Evaluation } from '../evaluator.js';
import type { Plan, Problem } from '../problem.js';
import { limitsFirst } from '../score.js';
import { envelopeOf } from '../space/formula.js';
import { replicated } from '../winner.js';
import type { Allocator } from './allocator.js';

export interface AllocationStanding {
  /** That of an allocator's fallback is called so: it has decided most of what counts, for the reason of `leftTo`. */
  readonly allocator: string;
  readonly allocation: Allocation;
  readonly leftTo?: string;
  /** None: what it settled at cannot run, or is beyond the limit of a resource. */
  readonly evaluation?: Evaluation;
}
export interface StartingAllocation {
  /** That of `by`, less the instances that are idle: see `withoutIdle`. */
  readonly allocation: Allocation;
  readonly by: string;
  /** Of the plan with it; none: it cannot run. */
  readonly predicted?: ReplicatedSimulation;
  readonly standing: readonly AllocationStanding[];
}

const INTERVAL_MS = 15_000;
/** Decisions until it has settled, and those of which the median counts. */
const SETTLING = 20;
const SETTLED = 20;
/** A service level where none was asked for: so many times what an invocation of each stage takes together. */
const SLACK = 2.5;
const SLACK_MS = 3_000;

/**
 * The allocation that a plan starts with: the one that the search has judged it by (the staffing formula), or what an allocator settles at under the
 * same load, whichever the twin finds better (limits first), less what is idle of it. Every allocator is bounded as any allocation of the plan is.
 */
export function startingAllocation(problem: Problem, plan: Plan, allocators: readonly Allocator[]): StartingAllocation {
  const evaluator = new Evaluator(problem, plan.topology.batch.records);
  const envelope = envelopeOf(problem, plan.topology);
  const judged = (allocator: string, { allocation, leftTo }: Settled): AllocationStanding => {
    const isLegal = validateAllocation(problem.spec, plan.topology, envelope, allocation).length === 0;
    const evaluation = isLegal ? evaluator.evaluate({ ...plan, allocation }) : undefined;
    return {
      allocator: leftTo === undefined ? allocator : `${allocator}'s fallback`,
      allocation,
      ...(leftTo !== undefined && { leftTo }),
      ...(evaluation && { evaluation }),
    };
  };
  const model = evaluator.model(plan);
  const standing = [
    judged('formula', { allocation: plan.allocation }),
    ...allocators.map((allocator) => judged(allocator.name, settled(scenarioOf(problem, plan, model), allocator))),
  ];
  const best = standing.reduce((a, b) => (b.evaluation && (!a.evaluation || limitsFirst(b.evaluation, a.evaluation) < 0) ? b : a));
  const allocation = withoutIdle(problem, evaluator, { ...plan, allocation: best.allocation });
  const predicted = replicated(problem, evaluator, { ...plan, allocation });
  return { allocation, by: best.allocator, ...(predicted && { predicted }), standing };
}

/**
 * Instances that stand idle cost nothing in the score, but memory: stage by stage the fewest with which the plan, under the load that is expected and
 * under a quarter more, keeps what it keeps with all of them, and is hardly slower.
 */
function withoutIdle(problem: Problem, expected: Evaluator, plan: Plan): Allocation {
  const more = new Evaluator({ ...problem, ratePerSecond: HEADROOM * problem.ratePerSecond }, plan.topology.batch.records);
  if (expected.evaluate(plan) === undefined) return plan.allocation;
  const isAsGood = (allocation: Allocation): boolean =>
    [expected, more].every((evaluator) => {
      const [all, one] = [evaluator.evaluate(plan)!, evaluator.evaluate({ ...plan, allocation })!];
      const { p95Ms, p99Ms, throughput } = all.figures;
      return (
        (one.keepsLimits || !all.keepsLimits) &&
        one.figures.p95Ms <= HARDLY * p95Ms &&
        one.figures.p99Ms <= HARDLY * p99Ms &&
        one.figures.throughput >= throughput / HARDLY
      );
    });
  const envelope = envelopeOf(problem, plan.topology);
  return plan.topology.stages.reduce((allocation, { name }) => {
    const sized = (concurrency: number): Allocation => ({ ...allocation, [name]: { ...allocation[name]!, concurrency } });
    let [tooFew, enough] = [envelope[name]!.concurrency.min - 1, allocation[name]!.concurrency];
    while (enough - tooFew > 1) {
      const middle = Math.floor((tooFew + enough) / 2);
      if (isAsGood(sized(middle))) enough = middle;
      else tooFew = middle;
    }
    return sized(enough);
  }, plan.allocation);
}
const HEADROOM = 1.25;
const HARDLY = 1.1;

interface Settled {
  readonly allocation: Allocation;
  /** Why it has left most of these decisions to another. */
  readonly leftTo?: string;
}

/** By stage the median of what it decides once it has settled. */
function settled(scenario: ControlScenario, allocator: Allocator): Settled {
  const environment = new ControlEnvironment(scenario);
  const controller = allocator.start(scenario.pipeline);
  const decided: number[][] = scenario.plan.stages.map(() => []);
  const left: string[] = [];
  for (let step = 0; step < SETTLING + SETTLED; step++) {
    const targets = controller.decide(environment.state);
    environment.step(targets);
    if (step < SETTLING) continue;
    targets.forEach(({ concurrency }, s) => decided[s]!.push(concurrency));
    const leftTo = controller.leftTo?.();
    if (leftTo !== undefined) left.push(leftTo);
  }
  const allocation = Object.fromEntries(
    scenario.plan.stages.map(({ name }, s) => [
      name,
      { memoryMb: scenario.start[name]!.memoryMb, concurrency: decided[s]!.sort((a, b) => a - b)[SETTLED / 2]! },
    ]),
  );
  return { allocation, ...(left.length > SETTLED / 2 && { leftTo: left.at(-1)! }) };
}

/** The plan under the load that it is meant for. */
function scenarioOf(problem: Problem, { topology, allocation }: Plan, plan: PlanModel): ControlScenario {
  const { ratePerSecond, objective, host, seed } = problem;
  const envelope = envelopeOf(problem, topology);
  const serviceMs = plan.stages.map((stage) => {
    const records = stage.reaching * plan.batchRecords;
    return cpuMs(stage, records) + ioMs(stage, records);
  });
  const durationMs = (SETTLING + SETTLED + 3) * INTERVAL_MS;
  const batches = ratePerSecond / plan.batchRecords;
  return {
    seed,
    trace: problem.shape === undefined ? 'constant' : 'as measured',
    plan,
    serviceMs,
    pipeline: {
      stages: plan.stages.map(({ name, after, followers }) => ({
        name,
        after,
        followers,
        concurrency: envelope[name]!.concurrency,
        memoryMb: [allocation[name]!.memoryMb],
      })),
      sloMs: objective.p99Ms ?? objective.p95Ms ?? SLACK * serviceMs.reduce((sum, ms) => sum + ms, 0) + SLACK_MS,
      coldStartMs: host.coldStartMs,
      intervalMs: INTERVAL_MS,
    },
    profile: profileOf(problem, durationMs, seed),
    arrivals: arrivalsOf(problem, Math.ceil((ratePerSecond * durationMs) / 1000), seed),
    ratePerSecond,
    referenceMb: serviceMs.reduce((sum, ms, s) => sum + (batches * ms * allocation[plan.stages[s]!.name]!.memoryMb) / 1000, 0),
    start: allocation,
  };
}
