import { probeRecords, type Allocation } from '@autoflow/topology';
import { PlanError } from '../model/plan-error.js';
import type { PlannedStage } from '../model/plan-model.js';
import { AHEAD, code, COLD, REAP } from './events.js';
import { Fifo } from './heap.js';
import { IdleInstances } from './idle-instances.js';
import { hash, uniform } from './noise.js';
import type { SimulatorOptions } from './simulator-options.js';
import { stageTables, type StageTables } from './stage-tables.js';
import type { World } from './world.js';

const COLD_NOISE = 2_000_003;

/** The instances of every stage: idle, busy and starting, who waits for one, and what they cost while they are there. By stage index. */
export class Pools {
  private readonly tables: StageTables[];
  private readonly idle: IdleInstances[];
  private readonly queues: Fifo[];
  private readonly busy: Int32Array;
  private readonly starting: Int32Array;
  private readonly desired: Int32Array;
  /** Instances of a memory size that is no longer wanted: they end with their invocation. */
  private readonly obsolete: Int32Array;
  private readonly reaping: Uint8Array;
  private readonly started: Int32Array;
  private readonly accountedAt: Float64Array;
  private readonly probes: number;

  constructor(
    private readonly world: World,
    { allocation, warm = true, probes = 0 }: SimulatorOptions,
    private readonly begin: (invocation: number) => void,
  ) {
    const { plan, count } = world;
    this.probes = probes;
    this.tables = plan.stages.map((stage) => this.tablesOf(stage, allocated(allocation, stage).memoryMb));
    this.idle = plan.stages.map(() => new IdleInstances());
    this.queues = plan.stages.map(() => new Fifo());
    this.busy = new Int32Array(count);
    this.starting = new Int32Array(count);
    this.desired = Int32Array.from(plan.stages, (stage) => allocated(allocation, stage).concurrency);
    this.obsolete = new Int32Array(count);
    this.reaping = new Uint8Array(count);
    this.started = new Int32Array(count);
    this.accountedAt = new Float64Array(count);
    for (let s = 0; s < count; s++) {
      if (warm) for (let i = 0; i < this.desired[s]!; i++) this.rest(s);
      else if (plan.host.provisioning === 'ahead') this.provideAhead(s);
    }
  }

  of(s: number): { readonly busy: number; readonly idle: number; readonly starting: number; readonly queued: number } {
    return { busy: this.busy[s]!, idle: this.idle[s]!.size, starting: this.starting[s]!, queued: this.queues[s]!.size };
  }
  /** What an invocation of the stage takes at its memory size. */
  tablesAt(s: number): StageTables {
    return this.tables[s]!;
  }

  /** Instances of the stage that may have the most. */
  get most(): number {
    return Math.max(...this.desired);
  }

  /** Raised at once; lowered as invocations finish. */
  setConcurrency(s: number, concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 0)
      throw new PlanError('BAD_ALLOCATION', `a concurrency must be a whole number of at least 0, found ${concurrency}.`);
    this.account(s);
    this.desired[s] = concurrency;
    while (this.idle[s]!.size > 0 && this.present(s) > concurrency) this.idle[s]!.endOldest();
    this.provide(s);
  }

  /** From the next invocation on: a pool of another size, whose instances start anew; the instances there are end with their invocation. */
  setMemory(s: number, memoryMb: number): void {
    if (memoryMb === this.tables[s]!.memoryMb) return;
    this.account(s);
    this.tables[s] = this.tablesOf(this.world.plan.stages[s]!, memoryMb);
    while (this.idle[s]!.size > 0) this.idle[s]!.endOldest();
    this.obsolete[s] = this.busy[s]! + this.starting[s]!;
    this.provide(s);
  }

  /** Takes an idle instance, or starts one for itself, or waits its turn. */
  enqueue(invocation: number): void {
    const { world } = this;
    const { invocations, executions } = world;
    const s = invocations.stage[invocation]!;
    invocations.since[invocation] = world.now;
    world.waits?.queued(executions.firstRecord[invocations.execution[invocation]!]!, s, world.now);
    this.account(s);
    if (this.idle[s]!.size > 0) {
      this.idle[s]!.wakeLatest();
      this.occupy(invocation);
    } else if (world.plan.host.provisioning === 'on-demand' && this.present(s) < this.desired[s]!) this.startFor(invocation);
    else this.queues[s]!.push(invocation);
  }

  /** The instance that was started for the invocation is ready. */
  startedFor(invocation: number): void {
    const s = this.world.invocations.stage[invocation]!;
    this.account(s);
    this.starting[s]!--;
    this.busy[s]!++;
    this.begin(invocation);
  }

  startedAhead(s: number): void {
    this.account(s);
    this.starting[s]!--;
    if (this.obsolete[s]! > 0) this.obsolete[s]!--;
    else if (this.present(s) < this.desired[s]!) this.goOn(s);
  }

  /** The instance goes on to the next in the queue, rests, or ends where it is one too many. */
  release(s: number): void {
    this.account(s);
    this.busy[s]!--;
    if (this.obsolete[s]! > 0) this.obsolete[s]!--;
    else if (this.present(s) < this.desired[s]!) return this.goOn(s);
    this.provide(s);
  }

  /** Ends what has been idle for too long. */
  reap(s: number): void {
    this.account(s);
    const idle = this.idle[s]!;
    const { idleMs } = this.world.plan.host;
    while (idle.oldest + idleMs <= this.world.now) idle.endOldest();
    this.reaping[s] = idle.size > 0 ? 1 : 0;
    if (idle.size > 0) this.world.due.push(idle.oldest + idleMs, code(REAP, s));
  }

  /** Integrals over time up to now; before anything of the pool changes. */
  account(s: number): void {
    const { now, stages } = this.world;
    const dt = now - this.accountedAt[s]!;
    if (dt <= 0) return;
    this.accountedAt[s] = now;
    const tables = this.tables[s]!;
    const waiting = this.idle[s]!.size + this.starting[s]!;
    const instances = waiting + this.busy[s]!;
    stages.provisionedMs[s]! += dt * instances;
    stages.busyMs[s]! += dt * this.busy[s]!;
    stages.queuedMs[s]! += dt * this.queues[s]!.size;
    stages.provisionedMbMs[s]! += dt * instances * tables.memoryMb;
    stages.usedMbMs[s]! += dt * waiting * tables.workingSetMb[0]!;
  }

  private tablesOf(stage: PlannedStage, memoryMb: number): StageTables {
    const { batchRecords, host } = this.world.plan;
    const most = this.probes > 0 ? Math.max(batchRecords, probeRecords(batchRecords)) : batchRecords;
    return stageTables(stage, memoryMb, Math.ceil(most / stage.partitions), host);
  }

  /** Instances of the memory size that is wanted: idle, busy and starting. */
  private present(s: number): number {
    return this.idle[s]!.size + this.busy[s]! + this.starting[s]! - this.obsolete[s]!;
  }

  private occupy(invocation: number): void {
    const { invocations } = this.world;
    invocations.coldMs[invocation] = 0;
    this.busy[invocations.stage[invocation]!]!++;
    this.begin(invocation);
  }

  private goOn(s: number): void {
    if (this.queues[s]!.size > 0) this.occupy(this.queues[s]!.shift());
    else this.rest(s);
  }

  /** Starts what may be started: for those who wait, or ahead of them. */
  private provide(s: number): void {
    if (this.world.plan.host.provisioning === 'ahead') return this.provideAhead(s);
    while (this.queues[s]!.size > 0 && this.present(s) < this.desired[s]!) this.startFor(this.queues[s]!.shift());
  }

  private startFor(invocation: number): void {
    const { world } = this;
    const ms = this.coldStart(world.invocations.stage[invocation]!, world.luckOf(invocation, COLD_NOISE));
    world.invocations.coldMs[invocation] = ms;
    world.after(ms, code(COLD, invocation));
  }

  private provideAhead(s: number): void {
    const { world } = this;
    while (this.present(s) < this.desired[s]!)
      world.after(this.coldStart(s, hash(world.seed + COLD_NOISE, this.started[s]!, s)), code(AHEAD, s));
  }

  /** 0.7 to 1.3 times the usual. */
  private coldStart(s: number, luck: number): number {
    this.starting[s]!++;
    this.started[s]!++;
    this.world.stages.coldStarts[s]!++;
    return this.world.plan.host.coldStartMs * (0.7 + 0.6 * uniform(luck));
  }

  private rest(s: number): void {
    const { world } = this;
    const { idleMs, provisioning } = world.plan.host;
    this.idle[s]!.rest(world.now);
    if (provisioning === 'ahead' || idleMs === Number.POSITIVE_INFINITY || this.reaping[s] === 1) return;
    this.reaping[s] = 1;
    world.after(idleMs, code(REAP, s));
  }
}

function allocated(allocation: Allocation, { name }: PlannedStage): Allocation[string] {
  const own = Object.hasOwn(allocation, name) ? allocation[name] : undefined;
  if (own === undefined) throw new PlanError('BAD_ALLOCATION', `the allocation does not name stage '${name}'.`);
  if (!Number.isInteger(own.concurrency) || own.concurrency < 1)
    throw new PlanError('BAD_ALLOCATION', `${name} must have a whole number of at least 1 instances, found ${own.concurrency}.`);
  return own;
}
