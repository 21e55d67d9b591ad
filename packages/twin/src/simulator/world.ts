import type { PlanModel } from '../model/plan-model.js';
import { RunCounters, StageCounters } from './counters.js';
import { Heap } from './heap.js';
import { hash } from './noise.js';
import { ProcessorSharing } from './processor-sharing.js';
import { ExecutionSlots, InvocationSlots } from './slots.js';
import type { SimulatorOptions, WaitLedger } from './simulator-options.js';

/** What the parts of a simulated platform share: the plan, the moment, what is due, what is under way, and what was counted. */
export class World {
  /** Milliseconds since the start. */
  now = 0;
  readonly plan: PlanModel;
  /** Stages of the plan. */
  readonly count: number;
  readonly seed: number;
  readonly waits: WaitLedger | undefined;
  readonly due = new Heap();
  readonly cpu: ProcessorSharing;
  readonly executions: ExecutionSlots;
  readonly invocations = new InvocationSlots();
  readonly total = new RunCounters();
  readonly stages: StageCounters;

  constructor({ plan, seed, waits }: SimulatorOptions) {
    this.plan = plan;
    this.count = plan.stages.length;
    this.seed = seed | 0;
    this.waits = waits;
    this.cpu = new ProcessorSharing(plan.host.cores);
    this.executions = new ExecutionSlots(this.count);
    this.stages = new StageCounters(this.count);
  }

  advance(to: number): void {
    this.cpu.advance(to);
    this.now = to;
  }

  after(ms: number, event: number): void {
    this.due.push(this.now + ms, event);
  }

  /** The luck of an invocation in one use of it: of its first record, whatever the plan. */
  luckOf(invocation: number, salt: number): number {
    const { execution, offset, stage, round } = this.invocations;
    const record = this.executions.firstRecord[execution[invocation]!]! + offset[invocation]!;
    const { key } = this.plan.stages[stage[invocation]!]!;
    return hash(this.seed + salt, record, key + 1024 * round[invocation]!);
  }
}
