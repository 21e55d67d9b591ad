import { BACKOFF, code, CPU_DONE, IO_DONE } from './events.js';
import { next, normal, rounded, uniform } from './noise.js';
import type { Pools } from './pools.js';
import type { ObservedInvocation, SimulatorOptions } from './simulator-options.js';
import type { Walk } from './walk.js';
import type { World } from './world.js';

const SELECT = 1_000_003;

/** What an invocation does once it has an instance: it waits, computes, is billed, and its records get their outcomes or are retried. */
export class Invocations {
  private readonly exponential: boolean;
  private readonly observe: ((invocation: ObservedInvocation) => void) | undefined;

  constructor(
    private readonly world: World,
    { noise, observe }: SimulatorOptions,
    private readonly pools: Pools,
    private readonly walk: Walk,
  ) {
    this.exponential = noise === 'exponential';
    this.observe = observe;
  }

  begin(invocation: number): void {
    const { world } = this;
    const { invocations, now } = world;
    const s = invocations.stage[invocation]!;
    const tables = this.pools.tablesAt(s);
    const n = invocations.records[invocation]!;
    const factor = this.factorOf(invocation, tables.sigma[n]!);
    invocations.startedAt[invocation] = now;
    world.stages.waitMs[s]! += now - invocations.since[invocation]!;
    world.waits?.begun(world.executions.firstRecord[invocations.execution[invocation]!]!, s, now);
    invocations.ioMs[invocation] = tables.ioMs[n]! * factor;
    invocations.cpuMs[invocation] = tables.cpuMs[n]! * factor;
    invocations.share[invocation] = tables.share;
    if (invocations.ioMs[invocation]! > 0) world.after(invocations.ioMs[invocation]!, code(IO_DONE, invocation));
    else this.compute(invocation);
  }

  compute(invocation: number): void {
    const { cpu, invocations } = this.world;
    if (invocations.cpuMs[invocation]! > 0)
      cpu.add(invocations.cpuMs[invocation]!, invocations.share[invocation]!, code(CPU_DONE, invocation));
    else this.end(invocation);
  }

  computed(invocation: number): void {
    this.world.cpu.remove(this.world.invocations.share[invocation]!);
    this.end(invocation);
  }

  private factorOf(invocation: number, sigma: number): number {
    if (sigma === 0) return 1;
    const luck = this.world.luckOf(invocation, 0);
    return this.exponential ? -Math.log(uniform(luck)) : Math.exp(sigma * normal(luck) - (sigma * sigma) / 2);
  }

  private end(invocation: number): void {
    const { invocations, now } = this.world;
    const s = invocations.stage[invocation]!;
    const durationMs = now - invocations.startedAt[invocation]!;
    this.bill(invocation, s, durationMs);
    this.pools.release(s);
    this.takeOutcomes(invocation, s, durationMs);
  }

  private bill(invocation: number, s: number, durationMs: number): void {
    const { stages, invocations } = this.world;
    const tables = this.pools.tablesAt(s);
    const n = invocations.records[invocation]!;
    const billedMs = Math.ceil(durationMs + invocations.coldMs[invocation]!);
    stages.invocations[s]!++;
    stages.recordsIn[s]! += n;
    stages.dispatchMs[s]! += invocations.dispatchMs[invocation]!;
    stages.serviceMs[s]! += durationMs;
    stages.cpuMs[s]! += invocations.cpuMs[invocation]!;
    stages.ioMs[s]! += invocations.ioMs[invocation]!;
    stages.billedMbMs[s]! += billedMs * tables.memoryMb;
    stages.usedMbMs[s]! += durationMs * tables.workingSetMb[n]!;
  }

  /** Retries wait for their backoff; whoever asks for one more than there are attempts dies. */
  private takeOutcomes(invocation: number, s: number, durationMs: number): void {
    const { world } = this;
    const { executions, invocations } = world;
    const execution = invocations.execution[invocation]!;
    const at = execution * world.count + s;
    const { retry, dead, selectivity, maximumAttempts } = world.plan.stages[s]!;
    const n = invocations.records[invocation]!;
    let luck = world.luckOf(invocation, SELECT);
    const again = rounded(n * retry, luck);
    const final = invocations.round[invocation]! + 1 >= maximumAttempts;
    luck = next(luck);
    const dying = rounded((n - again) * dead, luck);
    luck = next(luck);
    const going = rounded((n - again - dying) * selectivity, luck);
    executions.left[at]! += going;
    executions.died[execution]! += dying + (final ? again : 0);
    this.observe?.(this.observed(invocation, s, durationMs, final ? 0 : again, dying + (final ? again : 0), n - again - dying - going));
    if (again > 0 && !final) {
      world.stages.retried[s]! += again;
      this.backOff(invocation, s, again);
      return;
    }
    invocations.giveBack(invocation);
    if (--executions.partsLeft[at]! === 0) this.walk.leave(execution, s);
  }

  private backOff(invocation: number, s: number, records: number): void {
    const { world } = this;
    const { invocations } = world;
    const { backoffMs, backoffCoefficient, maximumBackoffMs } = world.plan.stages[s]!;
    const wait = Math.min(maximumBackoffMs, backoffMs * backoffCoefficient ** invocations.round[invocation]!);
    invocations.records[invocation] = records;
    invocations.round[invocation]!++;
    invocations.since[invocation] = world.now + wait;
    world.total.timers++;
    world.after(wait, code(BACKOFF, invocation));
  }

  private observed(
    invocation: number,
    stage: number,
    durationMs: number,
    retried: number,
    dead: number,
    filtered: number,
  ): ObservedInvocation {
    const { invocations, executions } = this.world;
    const records = invocations.records[invocation]!;
    return {
      stage,
      execution: executions.firstRecord[invocations.execution[invocation]!]!,
      openedAt: executions.openedAt[invocations.execution[invocation]!]!,
      records,
      startedAt: invocations.startedAt[invocation]!,
      dispatchMs: invocations.dispatchMs[invocation]!,
      waitMs: invocations.startedAt[invocation]! - invocations.since[invocation]!,
      coldStartMs: invocations.coldMs[invocation]!,
      durationMs,
      cpuMs: invocations.cpuMs[invocation]!,
      ioMs: invocations.ioMs[invocation]!,
      workingSetMb: this.pools.tablesAt(stage).workingSetMb[records]!,
      retried,
      dead,
      filtered,
    };
  }
}
