import { AHEAD, BACKOFF, COLD, CPU_DONE, DISPATCH, INDEX, IO_DONE, LINGER, PASSED, REAP, SERVED, SETTLE, SHIFT, START } from './events.js';
import type { RunCounters, StageCounters } from './counters.js';
import { Feeder } from './feeder.js';
import { Invocations } from './invocations.js';
import { Pools } from './pools.js';
import type { SimulatorOptions } from './simulator-options.js';
import { TemporalStation } from './temporal-station.js';
import { Walk } from './walk.js';
import { World } from './world.js';

/**
 * The pipeline under load, event by event: every record that arrives gets exactly one outcome, in simulated time. It runs to any moment, may
 * be given other instances or memory, and goes on; the same seed and arrivals give the same run, and the same luck whatever the plan.
 * Holds no object per event.
 */
export class Simulator {
  /** Events so far. */
  events = 0;
  /** From its arrival to its outcome, by record; NaN while it has none. */
  readonly latencyMs: Float64Array;
  readonly closed = { records: 0 };
  private readonly arrivals: Float64Array;
  private readonly world: World;
  private readonly feeder: Feeder;
  private readonly temporal: TemporalStation;
  private readonly walk: Walk;
  private readonly pools: Pools;
  private readonly invocations: Invocations;

  constructor(options: SimulatorOptions) {
    this.arrivals = options.arrivals;
    this.latencyMs = new Float64Array(options.arrivals.length).fill(Number.NaN);
    const world = (this.world = new World(options));
    const temporal = (this.temporal = new TemporalStation(world, (event) => this.happen(event)));
    this.feeder = new Feeder(world, options, (execution) => temporal.pass(START, execution));
    this.walk = new Walk(world, {
      dispatch: (invocation) => temporal.pass(DISPATCH, invocation),
      settle: (execution) => temporal.pass(SETTLE, execution),
    });
    this.pools = new Pools(world, options, (invocation) => this.invocations.begin(invocation));
    this.invocations = new Invocations(world, options, this.pools, this.walk);
    this.feeder.keepBusy(this.pools.most);
  }

  /** Runs to `until` (milliseconds), or until so many records have an outcome; what is due at that moment has happened. */
  run(until: number, closedRecords = Number.POSITIVE_INFINITY): void {
    const { world, feeder } = this;
    const { due, cpu } = world;
    while (this.closed.records < closedRecords) {
      const arrival = feeder.nextArrival;
      const event = due.least;
      const end = cpu.nextEnd;
      const at = Math.min(arrival, event, end);
      if (at > until || at === Number.POSITIVE_INFINITY) {
        if (until !== Number.POSITIVE_INFINITY && until > world.now) world.advance(until);
        break;
      }
      this.events++;
      world.advance(at);
      if (end <= event && end <= arrival) this.computed(cpu.next());
      else if (event <= arrival) this.happen(due.pop());
      else feeder.arrive();
    }
    this.account();
  }

  /** Milliseconds since the start. */
  get now(): number {
    return this.world.now;
  }
  get total(): RunCounters {
    return this.world.total;
  }
  get stages(): StageCounters {
    return this.world.stages;
  }
  /** Every record that will ever arrive has its outcome. */
  get finished(): boolean {
    return this.closed.records === this.arrivals.length;
  }
  get openExecutions(): number {
    return this.feeder.openExecutions;
  }
  /** Records without an execution. */
  get backlog(): number {
    return this.feeder.backlog;
  }
  get cpuBusyMs(): number {
    return this.world.cpu.busyMs;
  }
  /** Of one stage at this moment. */
  pool(stage: number): ReturnType<Pools['of']> {
    return this.pools.of(stage);
  }

  /** Forgets what was counted, as after a warm-up; nothing else changes. */
  resetCounters(): void {
    this.account();
    this.world.stages.reset();
    this.world.total.reset();
    this.world.cpu.busyMs = 0;
  }

  /** Raised at once; lowered as invocations finish. */
  setConcurrency(stage: number, concurrency: number): void {
    this.pools.setConcurrency(stage, concurrency);
    this.feeder.keepBusy(this.pools.most);
  }

  /** From the next invocation on: a pool of another size, whose instances start anew; the instances there are end with their invocation. */
  setMemory(stage: number, memoryMb: number): void {
    this.pools.setMemory(stage, memoryMb);
  }

  private happen(event: number): void {
    const index = event & INDEX;
    switch (event >> SHIFT) {
      case START + SERVED:
      case DISPATCH + SERVED:
      case SETTLE + SERVED:
        return this.temporal.endService(event);
      case START + PASSED:
        return this.walk.start(index);
      case DISPATCH + PASSED:
        return this.dispatched(index);
      case SETTLE + PASSED:
        return this.close(index);
      case LINGER:
        return this.feeder.feed();
      case IO_DONE:
        return this.invocations.compute(index);
      case COLD:
        return this.pools.startedFor(index);
      case AHEAD:
        return this.pools.startedAhead(index);
      case REAP:
        return this.pools.reap(index);
      case BACKOFF:
        return this.temporal.pass(DISPATCH, index);
    }
  }

  private computed(event: number): void {
    if (event >> SHIFT === CPU_DONE) this.invocations.computed(event & INDEX);
    else {
      this.world.cpu.remove(1);
      this.temporal.endService(event);
    }
  }

  private dispatched(invocation: number): void {
    const { invocations, total, now } = this.world;
    invocations.dispatchMs[invocation] = now - invocations.since[invocation]!;
    total.activities++;
    this.pools.enqueue(invocation);
  }

  /** Every record of the batch has its outcome. */
  private close(execution: number): void {
    const { executions, total, now } = this.world;
    const first = executions.firstRecord[execution]!;
    const batch = executions.batchRecords[execution]!;
    for (let record = first; record < first + batch; record++) this.latencyMs[record] = now - this.arrivals[record]!;
    const completed = this.walk.survivors(execution);
    const dead = Math.min(batch - completed, executions.died[execution]!);
    total.completed += completed;
    total.dead += dead;
    total.filtered += batch - completed - dead;
    this.closed.records += batch;
    this.feeder.closed(execution);
  }

  private account(): void {
    for (let s = 0; s < this.world.count; s++) this.pools.account(s);
  }
}
