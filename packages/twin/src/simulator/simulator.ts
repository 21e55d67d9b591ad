import type { Allocation } from '@autoflow/topology';
import { PlanError } from '../model/plan-error.js';
import type { PlanModel, PlannedStage } from '../model/plan-model.js';
import { RunCounters, StageCounters } from './counters.js';
import { enlarged, Fifo, Heap } from './heap.js';
import { IdleInstances } from './idle-instances.js';
import { hash, next, normal, rounded, uniform } from './noise.js';
import { ProcessorSharing } from './processor-sharing.js';
import { stageTables, type StageTables } from './stage-tables.js';

export interface SimulatorOptions {
  readonly plan: PlanModel;
  readonly allocation: Allocation;
  /** When records arrive, in milliseconds, ascending. */
  readonly arrivals: Float64Array;
  readonly seed: number;
  /** Executions open at once; the backlog stays in the inbox. Default: no bound. */
  readonly openExecutions?: number;
  /** Share of batches that are cut at one record. Default 0. */
  readonly probes?: number;
  /** All instances are there at the start. Default true. */
  readonly warm?: boolean;
  /** Distribution of the factor of an invocation, mean 1. Exponential is for the comparison with queueing theory. */
  readonly noise?: 'lognormal' | 'exponential';
  /** Told of every invocation that ends; for the generation of metering rows. */
  readonly observe?: (invocation: ObservedInvocation) => void;
}
export interface ObservedInvocation {
  readonly stage: number;
  readonly execution: number;
  readonly records: number;
  readonly startedAt: number;
  readonly dispatchMs: number;
  readonly waitMs: number;
  readonly coldStartMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly ioMs: number;
  readonly workingSetMb: number;
  readonly retried: number;
  readonly dead: number;
  readonly filtered: number;
}

type Integers = Int32Array<ArrayBuffer>;
type Floats = Float64Array<ArrayBuffer>;

/** An event is a kind and the index of what it happens to, in one integer. */
const SHIFT = 26;
const INDEX = (1 << SHIFT) - 1;
const START = 0;
const DISPATCH = 1;
const SETTLE = 2;
/** Of the three above: served by Temporal; and the fixed latency has passed. */
const SERVED = 3;
const PASSED = 6;
const LINGER = 9;
const IO_DONE = 10;
const CPU_DONE = 11;
const COLD = 12;
const AHEAD = 13;
const REAP = 14;
const BACKOFF = 15;
const code = (kind: number, index: number): number => (kind << SHIFT) | index;

/** Salts of the noise, so that no two uses share a number. */
const SELECT = 1_000_003;
const COLD_NOISE = 2_000_003;
const PROBE = 3_000_017;
const JOIN = 4_000_037;

/**
 * The pipeline under load, event by event: every record that arrives gets exactly one outcome, in simulated time. It runs to any moment, may
 * be given other instances or memory, and goes on; the same seed and arrivals give the same run, and the same luck whatever the plan.
 * Holds no object per event.
 */
export class Simulator {
  now = 0;
  /** Events so far. */
  events = 0;
  readonly total = new RunCounters();
  readonly stages: StageCounters;
  /** From its arrival to its outcome, by record; NaN while it has none. */
  readonly latencyMs: Float64Array;
  readonly closed = { records: 0 };

  private readonly plan: PlanModel;
  private readonly arrivals: Float64Array;
  private readonly seed: number;
  private readonly openBound: number;
  private readonly probes: number;
  private readonly exponential: boolean;
  private readonly observe: ((invocation: ObservedInvocation) => void) | undefined;
  private readonly count: number;
  private readonly heap = new Heap();
  private readonly cpu: ProcessorSharing;

  // The feeder: records from `inbox` to `arrived` wait.
  private inbox = 0;
  private arrived = 0;
  private open = 0;
  private lingerFor = -1;

  // Temporal.
  private readonly station = new Fifo();
  private served = 0;

  // Pools, by stage.
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

  // Executions, by slot.
  private freeExecutions = new Fifo();
  private executions = 0;
  private firstRecord = new Int32Array(64);
  private batchRecords = new Int32Array(64);
  private stagesLeft = new Int32Array(64);
  private died = new Int32Array(64);
  private waitingFor: Integers;
  private partsLeft: Integers;
  private entered: Integers;
  private left: Integers;

  // Invocations, by slot.
  private freeInvocations = new Fifo();
  private invocations = 0;
  private execution = new Int32Array(64);
  private stageOf = new Int32Array(64);
  private records = new Int32Array(64);
  private offset = new Int32Array(64);
  private round = new Int32Array(64);
  private since = new Float64Array(64);
  private startedAt = new Float64Array(64);
  private dispatchMs = new Float64Array(64);
  private coldMs = new Float64Array(64);
  private work = new Float64Array(64);
  private io = new Float64Array(64);
  private share = new Float64Array(64);

  constructor(options: SimulatorOptions) {
    const { plan, allocation, arrivals } = options;
    this.plan = plan;
    this.arrivals = arrivals;
    this.seed = options.seed | 0;
    this.openBound = options.openExecutions ?? Number.POSITIVE_INFINITY;
    this.probes = options.probes ?? 0;
    this.exponential = options.noise === 'exponential';
    this.observe = options.observe;
    this.latencyMs = new Float64Array(arrivals.length).fill(Number.NaN);
    this.cpu = new ProcessorSharing(plan.host.cores);
    const count = plan.stages.length;
    this.count = count;
    this.stages = new StageCounters(count);
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
    this.waitingFor = new Int32Array(64 * count);
    this.partsLeft = new Int32Array(64 * count);
    this.entered = new Int32Array(64 * count);
    this.left = new Int32Array(64 * count);
    for (let s = 0; s < count; s++) {
      if (options.warm ?? true) for (let i = 0; i < this.desired[s]!; i++) this.rest(s);
      else if (plan.host.provisioning === 'ahead') this.provideAhead(s);
    }
  }

  /** Runs to `until` (milliseconds), or until so many records have an outcome; what is due at that moment has happened. */
  run(until: number, closedRecords = Number.POSITIVE_INFINITY): void {
    const { arrivals, heap, cpu } = this;
    while (this.closed.records < closedRecords) {
      const arrival = this.arrived < arrivals.length ? arrivals[this.arrived]! : Number.POSITIVE_INFINITY;
      const event = heap.least;
      const end = cpu.nextEnd;
      const at = Math.min(arrival, event, end);
      if (at > until || at === Number.POSITIVE_INFINITY) {
        if (until !== Number.POSITIVE_INFINITY && until > this.now) this.advance(until);
        break;
      }
      this.events++;
      this.advance(at);
      if (end <= event && end <= arrival) this.computed(cpu.next());
      else if (event <= arrival) this.happen(heap.pop());
      else this.arrive();
    }
    for (let s = 0; s < this.count; s++) this.account(s);
  }

  /** Every record that will ever arrive has its outcome. */
  get finished(): boolean {
    return this.closed.records === this.arrivals.length;
  }
  get openExecutions(): number {
    return this.open;
  }
  /** Records without an execution. */
  get backlog(): number {
    return this.arrived - this.inbox;
  }
  get cpuBusyMs(): number {
    return this.cpu.busyMs;
  }
  /** Of one stage at this moment. */
  pool(stage: number): { readonly busy: number; readonly idle: number; readonly starting: number; readonly queued: number } {
    return {
      busy: this.busy[stage]!,
      idle: this.idle[stage]!.size,
      starting: this.starting[stage]!,
      queued: this.queues[stage]!.size,
    };
  }

  /** Forgets what was counted, as after a warm-up; nothing else changes. */
  resetCounters(): void {
    for (let s = 0; s < this.count; s++) this.account(s);
    this.stages.reset();
    this.total.reset();
    this.cpu.busyMs = 0;
  }

  /** Raised at once; lowered as invocations finish. */
  setConcurrency(stage: number, concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 0)
      throw new PlanError('BAD_ALLOCATION', `a concurrency must be a whole number of at least 0, found ${concurrency}.`);
    this.account(stage);
    this.desired[stage] = concurrency;
    while (this.idle[stage]!.size > 0 && this.present(stage) > concurrency) this.idle[stage]!.endOldest();
    this.provide(stage);
  }

  /** From the next invocation on: a pool of another size, whose instances start anew; the instances there are end with their invocation. */
  setMemory(stage: number, memoryMb: number): void {
    if (memoryMb === this.tables[stage]!.memoryMb) return;
    this.account(stage);
    this.tables[stage] = this.tablesOf(this.plan.stages[stage]!, memoryMb);
    while (this.idle[stage]!.size > 0) this.idle[stage]!.endOldest();
    this.obsolete[stage] = this.busy[stage]! + this.starting[stage]!;
    this.provide(stage);
  }

  private tablesOf(stage: PlannedStage, memoryMb: number): StageTables {
    return stageTables(stage, memoryMb, Math.ceil(this.plan.batchRecords / stage.partitions), this.plan.host);
  }

  private advance(to: number): void {
    this.cpu.advance(to);
    this.now = to;
  }

  private happen(event: number): void {
    const index = event & INDEX;
    switch (event >> SHIFT) {
      case START + SERVED:
      case DISPATCH + SERVED:
      case SETTLE + SERVED:
        return this.endService(event);
      case START + PASSED:
        return this.startExecution(index);
      case DISPATCH + PASSED:
        return this.enqueue(index);
      case SETTLE + PASSED:
        return this.close(index);
      case LINGER:
        return this.feed();
      case IO_DONE:
        return this.compute(index);
      case COLD:
        return this.begin(index, true);
      case AHEAD:
        return this.startedAhead(index);
      case REAP:
        return this.reap(index);
      case BACKOFF:
        return this.pass(DISPATCH, index);
    }
  }

  private computed(event: number): void {
    if (event >> SHIFT === CPU_DONE) {
      const invocation = event & INDEX;
      this.cpu.remove(this.share[invocation]!);
      this.end(invocation);
    } else {
      this.cpu.remove(1);
      this.endService(event);
    }
  }

  // ── Feeder ──

  private arrive(): void {
    this.arrived++;
    this.total.arrived++;
    this.feed();
  }

  /** Opens the batches that are full or have lingered, while executions may be opened. */
  private feed(): void {
    const { batchRecords, lingerMs } = this.plan;
    while (this.arrived > this.inbox && this.open < this.openBound) {
      const wanted = this.probes > 0 && uniform(hash(this.seed, this.inbox, PROBE)) < this.probes ? 1 : batchRecords;
      const due = this.arrivals[this.inbox]! + lingerMs;
      if (this.arrived - this.inbox < wanted && due > this.now) {
        if (this.lingerFor !== this.inbox) this.heap.push(due, code(LINGER, 0));
        this.lingerFor = this.inbox;
        return;
      }
      this.openBatch(Math.min(wanted, this.arrived - this.inbox));
    }
  }

  private openBatch(records: number): void {
    const slot = this.takeExecution();
    this.firstRecord[slot] = this.inbox;
    this.batchRecords[slot] = records;
    this.stagesLeft[slot] = this.count;
    this.died[slot] = 0;
    const from = slot * this.count;
    for (let s = 0; s < this.count; s++) this.waitingFor[from + s] = this.plan.stages[s]!.after.length;
    this.inbox += records;
    this.open++;
    this.total.executions++;
    this.pass(START, slot);
  }

  private takeExecution(): number {
    if (this.freeExecutions.size > 0) return this.freeExecutions.shift();
    const slot = this.executions++;
    if (slot === this.firstRecord.length) {
      const grown = (from: Integers): Integers => enlarged(from, new Int32Array(2 * from.length));
      this.firstRecord = grown(this.firstRecord);
      this.batchRecords = grown(this.batchRecords);
      this.stagesLeft = grown(this.stagesLeft);
      this.died = grown(this.died);
      this.waitingFor = grown(this.waitingFor);
      this.partsLeft = grown(this.partsLeft);
      this.entered = grown(this.entered);
      this.left = grown(this.left);
    }
    return slot;
  }

  // ── Temporal ──

  /** What takes no work does not queue. */
  private pass(kind: number, index: number): void {
    const { temporal } = this.plan.host;
    const job = code(kind, index);
    if (this.passingWork(kind) <= 0) this.afterService(job + (SERVED << SHIFT));
    else if (this.served < temporal.servers) this.serve(job);
    else this.station.push(job);
  }

  private passingWork(kind: number): number {
    const { startMs, activityMs, settleMs } = this.plan.host.temporal;
    return kind === START ? startMs : kind === DISPATCH ? activityMs : settleMs;
  }

  private serve(job: number): void {
    const work = this.passingWork(job >> SHIFT);
    this.served++;
    if (this.plan.host.temporal.onHost) this.cpu.add(work, 1, job + (SERVED << SHIFT));
    else this.heap.push(this.now + work, job + (SERVED << SHIFT));
  }

  private endService(event: number): void {
    this.served--;
    if (this.station.size > 0) this.serve(this.station.shift());
    this.afterService(event);
  }

  private afterService(event: number): void {
    const { latencyMs } = this.plan.host.temporal;
    const passed = event + ((PASSED - SERVED) << SHIFT);
    if (latencyMs > 0) this.heap.push(this.now + latencyMs, passed);
    else this.happen(passed);
  }

  // ── Execution: the walk over the stages ──

  private startExecution(slot: number): void {
    const { stages } = this.plan;
    for (let s = 0; s < this.count; s++) if (stages[s]!.after.length === 0) this.enter(slot, s);
  }

  /** Cuts what reaches the stage into parts and dispatches them; a stage that nothing reaches is skipped. */
  private enter(slot: number, s: number): void {
    const at = slot * this.count + s;
    const live = this.reaching(slot, s);
    this.entered[at] = live;
    this.left[at] = 0;
    if (live === 0) return this.leave(slot, s);
    const { partitions, bytesIn } = this.plan.stages[s]!;
    const batch = this.batchRecords[slot]!;
    const parts = Math.min(live, Math.max(partitions, Math.ceil((batch * bytesIn) / this.plan.batchBytes)));
    this.partsLeft[at] = parts;
    for (let part = 0, from = 0; part < parts; part++) {
      const to = Math.floor(((part + 1) * live) / parts);
      this.pass(DISPATCH, this.invocationOf(slot, s, to - from, from));
      from = to;
    }
  }

  /** Records alive in every stage before: filters of branches drop records independently of each other. */
  private reaching(slot: number, s: number): number {
    const { after, ancestors, key } = this.plan.stages[s]!;
    const from = slot * this.count;
    if (after.length === 0) return this.batchRecords[slot]!;
    if (after.length === 1) return this.left[from + after[0]!]!;
    return this.together(slot, after, ancestors, key);
  }

  private together(slot: number, last: readonly number[], all: readonly number[], key: number): number {
    const from = slot * this.count;
    let least = this.batchRecords[slot]!;
    for (const i of last) least = Math.min(least, this.left[from + i]!);
    if (least === 0) return 0;
    let expected = this.batchRecords[slot]!;
    for (const i of all) expected *= this.left[from + i]! / Math.max(1, this.entered[from + i]!);
    return Math.min(least, rounded(expected + 1e-9, hash(this.seed + JOIN, this.firstRecord[slot]!, key)));
  }

  private leave(slot: number, s: number): void {
    const from = slot * this.count;
    this.stagesLeft[slot]!--;
    for (const follower of this.plan.stages[s]!.followers) if (--this.waitingFor[from + follower]! === 0) this.enter(slot, follower);
    if (this.stagesLeft[slot] === 0) {
      this.stagesLeft[slot] = -1;
      this.pass(SETTLE, slot);
    }
  }

  private close(slot: number): void {
    const first = this.firstRecord[slot]!;
    const batch = this.batchRecords[slot]!;
    for (let record = first; record < first + batch; record++) this.latencyMs[record] = this.now - this.arrivals[record]!;
    const completed = this.survivors(slot);
    const dead = Math.min(batch - completed, this.died[slot]!);
    this.total.completed += completed;
    this.total.dead += dead;
    this.total.filtered += batch - completed - dead;
    this.closed.records += batch;
    this.open--;
    this.freeExecutions.push(slot);
    this.feed();
  }

  private survivors(slot: number): number {
    const { finals, everyStage } = this;
    return finals.length === 1 ? this.left[slot * this.count + finals[0]!]! : this.together(slot, finals, everyStage, this.count);
  }

  private get finals(): readonly number[] {
    return (this.finalStages ??= this.plan.stages.flatMap(({ followers }, s) => (followers.length === 0 ? [s] : [])));
  }
  private finalStages: readonly number[] | undefined;
  private get everyStage(): readonly number[] {
    return (this.allStages ??= this.plan.stages.map((_, s) => s));
  }
  private allStages: readonly number[] | undefined;

  // ── Invocations and pools ──

  private invocationOf(slot: number, s: number, records: number, offset: number): number {
    const invocation = this.freeInvocations.size > 0 ? this.freeInvocations.shift() : this.newInvocation();
    this.execution[invocation] = slot;
    this.stageOf[invocation] = s;
    this.records[invocation] = records;
    this.offset[invocation] = offset;
    this.round[invocation] = 0;
    this.since[invocation] = this.now;
    return invocation;
  }

  private newInvocation(): number {
    if (this.invocations === this.execution.length) {
      const length = 2 * this.invocations;
      const integers = (from: Integers): Integers => enlarged(from, new Int32Array(length));
      const floats = (from: Floats): Floats => enlarged(from, new Float64Array(length));
      this.execution = integers(this.execution);
      this.stageOf = integers(this.stageOf);
      this.records = integers(this.records);
      this.offset = integers(this.offset);
      this.round = integers(this.round);
      this.since = floats(this.since);
      this.startedAt = floats(this.startedAt);
      this.dispatchMs = floats(this.dispatchMs);
      this.coldMs = floats(this.coldMs);
      this.work = floats(this.work);
      this.io = floats(this.io);
      this.share = floats(this.share);
    }
    return this.invocations++;
  }

  /** Takes an idle instance, or starts one for itself, or waits its turn. */
  private enqueue(invocation: number): void {
    const s = this.stageOf[invocation]!;
    this.dispatchMs[invocation] = this.now - this.since[invocation]!;
    this.since[invocation] = this.now;
    this.total.activities++;
    this.account(s);
    if (this.idle[s]!.size > 0) {
      this.idle[s]!.wakeLatest();
      this.begin(invocation, false);
    } else if (this.plan.host.provisioning === 'on-demand' && this.present(s) < this.desired[s]!) this.startFor(invocation);
    else this.queues[s]!.push(invocation);
  }

  private begin(invocation: number, cold: boolean): void {
    const s = this.stageOf[invocation]!;
    this.account(s);
    if (cold) this.starting[s]!--;
    else this.coldMs[invocation] = 0;
    this.busy[s]!++;
    const tables = this.tables[s]!;
    const n = this.records[invocation]!;
    const factor = this.factorOf(invocation, tables.sigma[n]!);
    this.startedAt[invocation] = this.now;
    this.stages.waitMs[s]! += this.now - this.since[invocation]!;
    this.io[invocation] = tables.ioMs[n]! * factor;
    this.work[invocation] = tables.cpuMs[n]! * factor;
    this.share[invocation] = tables.share;
    if (this.io[invocation]! > 0) this.heap.push(this.now + this.io[invocation]!, code(IO_DONE, invocation));
    else this.compute(invocation);
  }

  private factorOf(invocation: number, sigma: number): number {
    if (sigma === 0) return 1;
    const hashed = this.hashOf(invocation, 0);
    return this.exponential ? -Math.log(uniform(hashed)) : Math.exp(sigma * normal(hashed) - (sigma * sigma) / 2);
  }

  private hashOf(invocation: number, salt: number): number {
    const record = this.firstRecord[this.execution[invocation]!]! + this.offset[invocation]!;
    const { key } = this.plan.stages[this.stageOf[invocation]!]!;
    return hash(this.seed + salt, record, key + 1024 * this.round[invocation]!);
  }

  private compute(invocation: number): void {
    if (this.work[invocation]! > 0) this.cpu.add(this.work[invocation]!, this.share[invocation]!, code(CPU_DONE, invocation));
    else this.end(invocation);
  }

  private end(invocation: number): void {
    const s = this.stageOf[invocation]!;
    const durationMs = this.now - this.startedAt[invocation]!;
    this.account(s);
    this.bill(invocation, s, durationMs);
    this.release(s);
    this.takeOutcomes(invocation, s, durationMs);
  }

  private bill(invocation: number, s: number, durationMs: number): void {
    const { stages } = this;
    const tables = this.tables[s]!;
    const n = this.records[invocation]!;
    const billedMs = Math.ceil(durationMs + this.coldMs[invocation]!);
    stages.invocations[s]!++;
    stages.recordsIn[s]! += n;
    stages.dispatchMs[s]! += this.dispatchMs[invocation]!;
    stages.serviceMs[s]! += durationMs;
    stages.cpuMs[s]! += this.work[invocation]!;
    stages.ioMs[s]! += this.io[invocation]!;
    stages.billedMs[s]! += billedMs;
    stages.billedMbMs[s]! += billedMs * tables.memoryMb;
    stages.usedMbMs[s]! += durationMs * tables.workingSetMb[n]!;
  }

  /** The instance goes on to the next in the queue, rests, or ends where it is one too many. */
  private release(s: number): void {
    this.busy[s]!--;
    if (this.obsolete[s]! > 0) this.obsolete[s]!--;
    else if (this.present(s) < this.desired[s]!) {
      if (this.queues[s]!.size > 0) this.begin(this.queues[s]!.shift(), false);
      else this.rest(s);
      return;
    }
    this.provide(s);
  }

  /** Retries wait for their backoff; whoever asks for one more than there are attempts dies. */
  private takeOutcomes(invocation: number, s: number, durationMs: number): void {
    const slot = this.execution[invocation]!;
    const at = slot * this.count + s;
    const { retry, dead, selectivity, maximumAttempts } = this.plan.stages[s]!;
    const n = this.records[invocation]!;
    let luck = this.hashOf(invocation, SELECT);
    const again = rounded(n * retry, luck);
    const final = this.round[invocation]! + 1 >= maximumAttempts;
    luck = next(luck);
    const dying = rounded((n - again) * dead, luck);
    luck = next(luck);
    const going = rounded((n - again - dying) * selectivity, luck);
    this.left[at]! += going;
    this.died[slot]! += dying + (final ? again : 0);
    this.observe?.(this.observed(invocation, s, durationMs, final ? 0 : again, dying + (final ? again : 0), n - again - dying - going));
    if (again > 0 && !final) {
      this.stages.retried[s]! += again;
      this.backOff(invocation, s, again);
      return;
    }
    this.freeInvocations.push(invocation);
    if (--this.partsLeft[at]! === 0) this.leave(slot, s);
  }

  private backOff(invocation: number, s: number, records: number): void {
    const { backoffMs, backoffCoefficient, maximumBackoffMs } = this.plan.stages[s]!;
    const wait = Math.min(maximumBackoffMs, backoffMs * backoffCoefficient ** this.round[invocation]!);
    this.records[invocation] = records;
    this.round[invocation]!++;
    this.since[invocation] = this.now + wait;
    this.total.timers++;
    this.heap.push(this.now + wait, code(BACKOFF, invocation));
  }

  private observed(
    invocation: number,
    stage: number,
    durationMs: number,
    retried: number,
    dead: number,
    filtered: number,
  ): ObservedInvocation {
    const records = this.records[invocation]!;
    return {
      stage,
      execution: this.firstRecord[this.execution[invocation]!]!,
      records,
      startedAt: this.startedAt[invocation]!,
      dispatchMs: this.dispatchMs[invocation]!,
      waitMs: this.startedAt[invocation]! - this.since[invocation]!,
      coldStartMs: this.coldMs[invocation]!,
      durationMs,
      cpuMs: this.work[invocation]!,
      ioMs: this.io[invocation]!,
      workingSetMb: this.tables[stage]!.workingSetMb[records]!,
      retried,
      dead,
      filtered,
    };
  }

  /** Instances of the memory size that is wanted: idle, busy and starting. */
  private present(s: number): number {
    return this.idle[s]!.size + this.busy[s]! + this.starting[s]! - this.obsolete[s]!;
  }

  /** Starts what may be started: for those who wait, or ahead of them. */
  private provide(s: number): void {
    if (this.plan.host.provisioning === 'ahead') return this.provideAhead(s);
    while (this.queues[s]!.size > 0 && this.present(s) < this.desired[s]!) this.startFor(this.queues[s]!.shift());
  }

  private startFor(invocation: number): void {
    const s = this.stageOf[invocation]!;
    const ms = this.coldStart(s, this.hashOf(invocation, COLD_NOISE));
    this.coldMs[invocation] = ms;
    this.heap.push(this.now + ms, code(COLD, invocation));
  }

  private provideAhead(s: number): void {
    while (this.present(s) < this.desired[s]!)
      this.heap.push(this.now + this.coldStart(s, hash(this.seed + COLD_NOISE, this.started[s]!, s)), code(AHEAD, s));
  }

  /** 0.7 to 1.3 times the usual. */
  private coldStart(s: number, hashed: number): number {
    this.starting[s]!++;
    this.started[s]!++;
    this.stages.coldStarts[s]!++;
    return this.plan.host.coldStartMs * (0.7 + 0.6 * uniform(hashed));
  }

  private startedAhead(s: number): void {
    this.account(s);
    this.starting[s]!--;
    if (this.obsolete[s]! > 0) this.obsolete[s]!--;
    else if (this.present(s) < this.desired[s]!) {
      if (this.queues[s]!.size > 0) this.begin(this.queues[s]!.shift(), false);
      else this.rest(s);
    }
  }

  private rest(s: number): void {
    this.idle[s]!.rest(this.now);
    const { idleMs, provisioning } = this.plan.host;
    if (provisioning === 'ahead' || idleMs === Number.POSITIVE_INFINITY || this.reaping[s] === 1) return;
    this.reaping[s] = 1;
    this.heap.push(this.now + idleMs, code(REAP, s));
  }

  private reap(s: number): void {
    this.account(s);
    const idle = this.idle[s]!;
    const { idleMs } = this.plan.host;
    while (idle.oldest + idleMs <= this.now) idle.endOldest();
    this.reaping[s] = idle.size > 0 ? 1 : 0;
    if (idle.size > 0) this.heap.push(idle.oldest + idleMs, code(REAP, s));
  }

  /** Integrals over time up to now; before anything of the pool changes. */
  private account(s: number): void {
    const dt = this.now - this.accountedAt[s]!;
    if (dt <= 0) return;
    this.accountedAt[s] = this.now;
    const { stages } = this;
    const tables = this.tables[s]!;
    const waiting = this.idle[s]!.size + this.starting[s]!;
    const instances = waiting + this.busy[s]!;
    stages.provisionedMs[s]! += dt * instances;
    stages.busyMs[s]! += dt * this.busy[s]!;
    stages.queuedMs[s]! += dt * this.queues[s]!.size;
    stages.provisionedMbMs[s]! += dt * instances * tables.memoryMb;
    stages.usedMbMs[s]! += dt * waiting * tables.workingSetMb[0]!;
  }
}

function allocated(allocation: Allocation, { name }: PlannedStage): Allocation[string] {
  const own = Object.hasOwn(allocation, name) ? allocation[name] : undefined;
  if (own === undefined) throw new PlanError('BAD_ALLOCATION', `the allocation does not name stage '${name}'.`);
  if (!Number.isInteger(own.concurrency) || own.concurrency < 1)
    throw new PlanError('BAD_ALLOCATION', `${name} must have a whole number of at least 1 instances, found ${own.concurrency}.`);
  return own;
}
