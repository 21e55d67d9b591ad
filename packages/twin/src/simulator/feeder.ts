import { probeRecords } from '@autoflow/topology';
import { code, LINGER } from './events.js';
import { FeederBound, fixedBound, type ExecutionBound } from './feeder-bound.js';
import { hash, uniform } from './noise.js';
import type { SimulatorOptions } from './simulator-options.js';
import type { World } from './world.js';

const PROBE = 3_000_017;

/** Opens the batches that are full or have lingered, while executions may be opened; the backlog stays unassigned. */
export class Feeder {
  /** Records up to here have an execution; from here to `arrived` they wait. */
  private inbox = 0;
  private arrived = 0;
  private open = 0;
  private lingerFor = -1;
  private readonly arrivals: Float64Array;
  private readonly bound: ExecutionBound;
  private readonly probes: number;

  constructor(
    private readonly world: World,
    { arrivals, openExecutions = Number.POSITIVE_INFINITY, probes = 0 }: SimulatorOptions,
    private readonly start: (execution: number) => void,
  ) {
    this.arrivals = arrivals;
    this.bound = openExecutions === 'fed' ? new FeederBound() : fixedBound(openExecutions);
    this.probes = probes;
  }

  /** Infinite when none is to come. */
  get nextArrival(): number {
    return this.arrived < this.arrivals.length ? this.arrivals[this.arrived]! : Number.POSITIVE_INFINITY;
  }
  get openExecutions(): number {
    return this.open;
  }
  get backlog(): number {
    return this.arrived - this.inbox;
  }

  /** Instances of the stage that has the most. */
  keepBusy(instances: number): void {
    this.bound.keepBusy(instances);
  }

  arrive(): void {
    this.arrived++;
    this.world.total.arrived++;
    this.feed();
  }

  /** Gives its slot back. */
  closed(execution: number): void {
    const { now, executions } = this.world;
    this.open--;
    this.bound.close(now - executions.openedAt[execution]!, now);
    executions.giveBack(execution);
    this.feed();
  }

  feed(): void {
    const { world, arrivals } = this;
    const { batchRecords, lingerMs } = world.plan;
    while (this.arrived > this.inbox) {
      if (this.open >= this.bound.limit) return this.bound.reached();
      const wanted = this.isProbe() ? probeRecords(batchRecords) : batchRecords;
      const due = arrivals[this.inbox]! + lingerMs;
      if (this.arrived - this.inbox < wanted && due > world.now) {
        if (this.lingerFor !== this.inbox) world.due.push(due, code(LINGER, 0));
        this.lingerFor = this.inbox;
        return;
      }
      this.openBatch(Math.min(wanted, this.arrived - this.inbox));
    }
  }

  private isProbe(): boolean {
    return this.probes > 0 && uniform(hash(this.world.seed, this.inbox, PROBE)) < this.probes;
  }

  private openBatch(records: number): void {
    const { executions, total, plan, count } = this.world;
    const execution = executions.take();
    executions.firstRecord[execution] = this.inbox;
    executions.batchRecords[execution] = records;
    executions.stagesLeft[execution] = count;
    executions.died[execution] = 0;
    executions.openedAt[execution] = this.world.now;
    const from = execution * count;
    for (let s = 0; s < count; s++) executions.waitingFor[from + s] = plan.stages[s]!.after.length;
    this.inbox += records;
    this.open++;
    total.executions++;
    this.start(execution);
  }
}
