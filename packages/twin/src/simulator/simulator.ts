import { probeRecords, type Allocation } from '@autoflow/topology';
import { PlanError } from '../model/plan-error.js';
import type { PlanModel, PlannedStage } from '../model/plan-model.js';
import { RunCounters, StageCounters } from './counters.js';
import {
  AHEAD,
  BACKOFF,
  code,
  COLD,
  CPU_DONE,
  DISPATCH,
  INDEX,
  IO_DONE,
  LINGER,
  PASSED,
  REAP,
  SERVED,
  SETTLE,
  SHIFT,
  START,
} from './events.js';
import { Fifo, Heap } from './heap.js';
import { IdleInstances } from './idle-instances.js';
import { hash, next, normal, rounded, uniform } from './noise.js';
import { ProcessorSharing } from './processor-sharing.js';
import type { ObservedInvocation, SimulatorOptions, WaitLedger } from './simulator-options.js';
import { ExecutionSlots, InvocationSlots } from './slots.js';
import { stageTables, type StageTables } from './stage-tables.js';

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
  private readonly waits: WaitLedger | undefined;
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

  private readonly executions: ExecutionSlots;
  private readonly invocations = new InvocationSlots();

  constructor(options: SimulatorOptions) {
    const { plan, allocation, arrivals } = options;
    this.plan = plan;
    this.arrivals = arrivals;
    this.seed = options.seed | 0;
    this.openBound = options.openExecutions ?? Number.POSITIVE_INFINITY;
    this.probes = options.probes ?? 0;
    this.exponential = options.noise === 'exponential';
    this.observe = options.observe;
    this.waits = options.waits;
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
    this.executions = new ExecutionSlots(count);
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
    const { batchRecords, host } = this.plan;
    const most = this.probes > 0 ? Math.max(batchRecords, probeRecords(batchRecords)) : batchRecords;
    return stageTables(stage, memoryMb, Math.ceil(most / stage.partitions), host);
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
      this.cpu.remove(this.invocations.share[invocation]!);
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
      const wanted =
        this.probes > 0 && uniform(hash(this.seed, this.inbox, PROBE)) < this.probes ? probeRecords(batchRecords) : batchRecords;
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
    const slot = this.executions.take();
    this.executions.firstRecord[slot] = this.inbox;
    this.executions.batchRecords[slot] = records;
    this.executions.stagesLeft[slot] = this.count;
    this.executions.died[slot] = 0;
    const from = slot * this.count;
    for (let s = 0; s < this.count; s++) this.executions.waitingFor[from + s] = this.plan.stages[s]!.after.length;
    this.inbox += records;
    this.open++;
    this.total.executions++;
    this.pass(START, slot);
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
    this.executions.entered[at] = live;
    this.executions.left[at] = 0;
    if (live === 0) return this.leave(slot, s);
    const { partitions, bytesIn } = this.plan.stages[s]!;
    const batch = this.executions.batchRecords[slot]!;
    const parts = Math.min(live, Math.max(partitions, Math.ceil((batch * bytesIn) / this.plan.batchBytes)));
    this.executions.partsLeft[at] = parts;
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
    if (after.length === 0) return this.executions.batchRecords[slot]!;
    if (after.length === 1) return this.executions.left[from + after[0]!]!;
    return this.together(slot, after, ancestors, key);
  }

  private together(slot: number, last: readonly number[], all: readonly number[], key: number): number {
    const from = slot * this.count;
    let least = this.executions.batchRecords[slot]!;
    for (const i of last) least = Math.min(least, this.executions.left[from + i]!);
    if (least === 0) return 0;
    let expected = this.executions.batchRecords[slot]!;
    for (const i of all) expected *= this.executions.left[from + i]! / Math.max(1, this.executions.entered[from + i]!);
    return Math.min(least, rounded(expected + 1e-9, hash(this.seed + JOIN, this.executions.firstRecord[slot]!, key)));
  }

  private leave(slot: number, s: number): void {
    const from = slot * this.count;
    this.executions.stagesLeft[slot]!--;
    for (const follower of this.plan.stages[s]!.followers)
      if (--this.executions.waitingFor[from + follower]! === 0) this.enter(slot, follower);
    if (this.executions.stagesLeft[slot] === 0) {
      this.executions.stagesLeft[slot] = -1;
      this.pass(SETTLE, slot);
    }
  }

  private close(slot: number): void {
    const first = this.executions.firstRecord[slot]!;
    const batch = this.executions.batchRecords[slot]!;
    for (let record = first; record < first + batch; record++) this.latencyMs[record] = this.now - this.arrivals[record]!;
    const completed = this.survivors(slot);
    const dead = Math.min(batch - completed, this.executions.died[slot]!);
    this.total.completed += completed;
    this.total.dead += dead;
    this.total.filtered += batch - completed - dead;
    this.closed.records += batch;
    this.open--;
    this.executions.giveBack(slot);
    this.feed();
  }

  private survivors(slot: number): number {
    const { finals, everyStage } = this;
    return finals.length === 1
      ? this.executions.left[slot * this.count + finals[0]!]!
      : this.together(slot, finals, everyStage, this.count);
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
    const invocation = this.invocations.take();
    this.invocations.execution[invocation] = slot;
    this.invocations.stage[invocation] = s;
    this.invocations.records[invocation] = records;
    this.invocations.offset[invocation] = offset;
    this.invocations.round[invocation] = 0;
    this.invocations.since[invocation] = this.now;
    return invocation;
  }

  /** Takes an idle instance, or starts one for itself, or waits its turn. */
  private enqueue(invocation: number): void {
    const s = this.invocations.stage[invocation]!;
    this.invocations.dispatchMs[invocation] = this.now - this.invocations.since[invocation]!;
    this.invocations.since[invocation] = this.now;
    this.total.activities++;
    this.waits?.queued(this.executions.firstRecord[this.invocations.execution[invocation]!]!, s, this.now);
    this.account(s);
    if (this.idle[s]!.size > 0) {
      this.idle[s]!.wakeLatest();
      this.begin(invocation, false);
    } else if (this.plan.host.provisioning === 'on-demand' && this.present(s) < this.desired[s]!) this.startFor(invocation);
    else this.queues[s]!.push(invocation);
  }

  private begin(invocation: number, cold: boolean): void {
    const s = this.invocations.stage[invocation]!;
    this.account(s);
    if (cold) this.starting[s]!--;
    else this.invocations.coldMs[invocation] = 0;
    this.busy[s]!++;
    const tables = this.tables[s]!;
    const n = this.invocations.records[invocation]!;
    const factor = this.factorOf(invocation, tables.sigma[n]!);
    this.invocations.startedAt[invocation] = this.now;
    this.stages.waitMs[s]! += this.now - this.invocations.since[invocation]!;
    this.waits?.begun(this.executions.firstRecord[this.invocations.execution[invocation]!]!, s, this.now);
    this.invocations.ioMs[invocation] = tables.ioMs[n]! * factor;
    this.invocations.cpuMs[invocation] = tables.cpuMs[n]! * factor;
    this.invocations.share[invocation] = tables.share;
    if (this.invocations.ioMs[invocation]! > 0) this.heap.push(this.now + this.invocations.ioMs[invocation]!, code(IO_DONE, invocation));
    else this.compute(invocation);
  }

  private factorOf(invocation: number, sigma: number): number {
    if (sigma === 0) return 1;
    const hashed = this.hashOf(invocation, 0);
    return this.exponential ? -Math.log(uniform(hashed)) : Math.exp(sigma * normal(hashed) - (sigma * sigma) / 2);
  }

  private hashOf(invocation: number, salt: number): number {
    const record = this.executions.firstRecord[this.invocations.execution[invocation]!]! + this.invocations.offset[invocation]!;
    const { key } = this.plan.stages[this.invocations.stage[invocation]!]!;
    return hash(this.seed + salt, record, key + 1024 * this.invocations.round[invocation]!);
  }

  private compute(invocation: number): void {
    if (this.invocations.cpuMs[invocation]! > 0)
      this.cpu.add(this.invocations.cpuMs[invocation]!, this.invocations.share[invocation]!, code(CPU_DONE, invocation));
    else this.end(invocation);
  }

  private end(invocation: number): void {
    const s = this.invocations.stage[invocation]!;
    const durationMs = this.now - this.invocations.startedAt[invocation]!;
    this.account(s);
    this.bill(invocation, s, durationMs);
    this.release(s);
    this.takeOutcomes(invocation, s, durationMs);
  }

  private bill(invocation: number, s: number, durationMs: number): void {
    const { stages } = this;
    const tables = this.tables[s]!;
    const n = this.invocations.records[invocation]!;
    const billedMs = Math.ceil(durationMs + this.invocations.coldMs[invocation]!);
    stages.invocations[s]!++;
    stages.recordsIn[s]! += n;
    stages.dispatchMs[s]! += this.invocations.dispatchMs[invocation]!;
    stages.serviceMs[s]! += durationMs;
    stages.cpuMs[s]! += this.invocations.cpuMs[invocation]!;
    stages.ioMs[s]! += this.invocations.ioMs[invocation]!;
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
    const slot = this.invocations.execution[invocation]!;
    const at = slot * this.count + s;
    const { retry, dead, selectivity, maximumAttempts } = this.plan.stages[s]!;
    const n = this.invocations.records[invocation]!;
    let luck = this.hashOf(invocation, SELECT);
    const again = rounded(n * retry, luck);
    const final = this.invocations.round[invocation]! + 1 >= maximumAttempts;
    luck = next(luck);
    const dying = rounded((n - again) * dead, luck);
    luck = next(luck);
    const going = rounded((n - again - dying) * selectivity, luck);
    this.executions.left[at]! += going;
    this.executions.died[slot]! += dying + (final ? again : 0);
    this.observe?.(this.observed(invocation, s, durationMs, final ? 0 : again, dying + (final ? again : 0), n - again - dying - going));
    if (again > 0 && !final) {
      this.stages.retried[s]! += again;
      this.backOff(invocation, s, again);
      return;
    }
    this.invocations.giveBack(invocation);
    if (--this.executions.partsLeft[at]! === 0) this.leave(slot, s);
  }

  private backOff(invocation: number, s: number, records: number): void {
    const { backoffMs, backoffCoefficient, maximumBackoffMs } = this.plan.stages[s]!;
    const wait = Math.min(maximumBackoffMs, backoffMs * backoffCoefficient ** this.invocations.round[invocation]!);
    this.invocations.records[invocation] = records;
    this.invocations.round[invocation]!++;
    this.invocations.since[invocation] = this.now + wait;
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
    const records = this.invocations.records[invocation]!;
    return {
      stage,
      execution: this.executions.firstRecord[this.invocations.execution[invocation]!]!,
      records,
      startedAt: this.invocations.startedAt[invocation]!,
      dispatchMs: this.invocations.dispatchMs[invocation]!,
      waitMs: this.invocations.startedAt[invocation]! - this.invocations.since[invocation]!,
      coldStartMs: this.invocations.coldMs[invocation]!,
      durationMs,
      cpuMs: this.invocations.cpuMs[invocation]!,
      ioMs: this.invocations.ioMs[invocation]!,
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
    const s = this.invocations.stage[invocation]!;
    const ms = this.coldStart(s, this.hashOf(invocation, COLD_NOISE));
    this.invocations.coldMs[invocation] = ms;
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
