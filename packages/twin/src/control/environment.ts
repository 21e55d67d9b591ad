import { workingSetMb } from '../model/stage-model.js';
import { Simulator } from '../simulator/simulator.js';
import { ControlState } from './control-state.js';
import { Lateness } from './lateness.js';
import type { ControlScenario } from './scenario.js';
import type { StageTarget, StageTick } from './tick.js';

/** Decisions of an episode. */
export const EPISODE_STEPS = 160;

/**
 * A pipeline under changing load in the twin, decision by decision: what is wanted is set, an interval passes, and its tick is observed.
 * The same scenario meets every controller with the same arrivals and the same luck.
 */
export class ControlEnvironment {
  readonly state: ControlState;
  steps = 0;
  /** Of the latest interval, by stage: provisioned memory, as a multiple of what the mean load keeps busy; late records blamed on it, as a
   * share of the mean arrivals. */
  readonly cost: Float64Array;
  readonly blame: Float64Array;
  /** Of the latest interval, as shares of the mean arrivals. */
  late = 0;
  completed = 0;
  private readonly simulator: Simulator;
  private readonly lateness: Lateness;
  private readonly meanArrivals: number;

  constructor(readonly scenario: ControlScenario) {
    const { pipeline, plan, arrivals, seed, serviceMs, start } = scenario;
    const count = plan.stages.length;
    this.lateness = new Lateness(arrivals, () => this.simulator.latencyMs, count, pipeline.sloMs);
    this.simulator = new Simulator({ plan, arrivals, seed, allocation: start, waits: this.lateness });
    this.state = new ControlState(pipeline, serviceMs);
    this.cost = new Float64Array(count);
    this.blame = new Float64Array(count);
    this.meanArrivals = (scenario.ratePerSecond * pipeline.intervalMs) / 1000;
    // The first interval shows the controller what comes; nobody is judged by it.
    this.step(plan.stages.map(({ name }) => start[name]!));
    this.steps = 0;
  }

  get done(): boolean {
    return this.steps >= EPISODE_STEPS;
  }

  step(targets: readonly StageTarget[]): void {
    const { simulator, state } = this;
    const { pipeline } = this.scenario;
    const before = pipeline.stages.map((_, s) => this.present(s));
    targets.forEach(({ concurrency, memoryMb }, s) => {
      simulator.setMemory(s, memoryMb);
      simulator.setConcurrency(s, concurrency);
    });
    simulator.resetCounters();
    const closed = simulator.closed.records;
    const at = simulator.now + pipeline.intervalMs;
    simulator.run(at);
    this.blame.fill(0);
    const late = this.lateness.judge(at, this.blame);
    const stages = targets.map((target, s) => this.tickOf(s, target, before[s]!));
    state.observe({ at, arrived: simulator.total.executions, late, stages });
    for (let s = 0; s < stages.length; s++) {
      this.cost[s] = simulator.stages.provisionedMbMs[s]! / (this.scenario.referenceMb * pipeline.intervalMs);
      this.blame[s]! /= this.meanArrivals;
    }
    this.late = late / this.meanArrivals;
    this.completed = (simulator.closed.records - closed) / this.meanArrivals;
    this.steps++;
  }

  private present(s: number): number {
    const { busy, queued } = this.simulator.pool(s);
    return busy + queued;
  }

  private tickOf(s: number, { concurrency, memoryMb }: StageTarget, presentBefore: number): StageTick {
    const { stages } = this.simulator;
    const { queued, starting } = this.simulator.pool(s);
    return {
      arrivals: stages.invocations[s]! + this.present(s) - presentBefore,
      served: stages.invocations[s]!,
      serviceMs: stages.serviceMs[s]!,
      busyMs: stages.busyMs[s]!,
      provisionedMs: stages.provisionedMs[s]!,
      queued,
      starting,
      concurrency,
      memoryMb,
      ...(this.scenario.plan.host.cpuFollowsMemory && {
        cpuMs: stages.cpuMs[s]!,
        workingSetMb: stages.invocations[s]! > 0 ? workingSetMb(this.scenario.plan.stages[s]!, 1) : 0,
      }),
    };
  }
}
