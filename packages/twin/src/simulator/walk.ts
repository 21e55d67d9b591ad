import { hash, rounded } from './noise.js';
import type { World } from './world.js';

const JOIN = 4_000_037;
const INVOKED = 5_000_011;
/** Parts without records of their own have luck of their own: so far from each other are they looked up. */
const APART = 1_000_003;

/** What a walk asks of the platform. */
export interface WalkPorts {
  dispatch(invocation: number): void;
  settle(execution: number): void;
}

/** The walk of an execution over the stages: parts, joins, and what is left alive of the batch. */
export class Walk {
  private readonly everyStage: readonly number[];
  private readonly finals: readonly number[];

  constructor(
    private readonly world: World,
    private readonly ports: WalkPorts,
  ) {
    const { stages } = world.plan;
    this.everyStage = stages.map((_, s) => s);
    this.finals = stages.flatMap(({ followers }, s) => (followers.length === 0 ? [s] : []));
  }

  start(execution: number): void {
    const { stages } = this.world.plan;
    for (let s = 0; s < stages.length; s++) if (stages[s]!.after.length === 0) this.enter(execution, s);
  }

  /** All parts of the stage have ended: whoever waited for it goes on, and after the last stage the execution is settled. */
  leave(execution: number, s: number): void {
    const { executions, plan, count } = this.world;
    const from = execution * count;
    executions.stagesLeft[execution]!--;
    for (const follower of plan.stages[s]!.followers) if (--executions.waitingFor[from + follower]! === 0) this.enter(execution, follower);
    if (executions.stagesLeft[execution] === 0) {
      executions.stagesLeft[execution] = -1;
      this.ports.settle(execution);
    }
  }

  /** Records of the batch that came through all of it. */
  survivors(execution: number): number {
    const { executions, count } = this.world;
    return this.finals.length === 1
      ? executions.left[execution * count + this.finals[0]!]!
      : this.together(execution, this.finals, this.everyStage, count);
  }

  /** Cuts what reaches the stage into parts and dispatches them; a stage that nothing reaches is skipped. */
  private enter(execution: number, s: number): void {
    const { executions, plan, count } = this.world;
    const at = execution * count + s;
    const live = this.reaching(execution, s);
    executions.entered[at] = live;
    executions.left[at] = 0;
    if (live === 0) return this.leave(execution, s);
    const { partitions, bytesIn, perBatch } = plan.stages[s]!;
    if (perBatch !== undefined) return this.invoke(execution, s, live, perBatch);
    const batch = executions.batchRecords[execution]!;
    const parts = Math.min(live, Math.max(partitions, Math.ceil((batch * bytesIn) / plan.batchBytes)));
    executions.partsLeft[at] = parts;
    for (let part = 0, from = 0; part < parts; part++) {
      const to = Math.floor(((part + 1) * live) / parts);
      this.ports.dispatch(this.invocationOf(execution, s, to - from, from));
      from = to;
    }
  }

  /**
   * As often as is known, whatever reaches it: a whole number, and one more by chance. The luck is the batch's in all of its stages: one that is
   * filtered out passes by all that come after.
   */
  private invoke(execution: number, s: number, live: number, perBatch: number): void {
    const { executions, count, seed } = this.world;
    const at = execution * count + s;
    const parts = rounded(perBatch, hash(seed + INVOKED, executions.firstRecord[execution]!, 0));
    executions.partsLeft[at] = parts;
    if (parts === 0) {
      executions.left[at] = live;
      return this.leave(execution, s);
    }
    for (let part = 0; part < parts; part++) this.ports.dispatch(this.invocationOf(execution, s, part === 0 ? live : 0, part * APART));
  }

  private invocationOf(execution: number, s: number, records: number, offset: number): number {
    const { invocations, now } = this.world;
    const invocation = invocations.take();
    invocations.execution[invocation] = execution;
    invocations.stage[invocation] = s;
    invocations.records[invocation] = records;
    invocations.offset[invocation] = offset;
    invocations.round[invocation] = 0;
    invocations.since[invocation] = now;
    return invocation;
  }

  private reaching(execution: number, s: number): number {
    const { executions, plan, count } = this.world;
    const { after, ancestors, key } = plan.stages[s]!;
    if (after.length === 0) return executions.batchRecords[execution]!;
    if (after.length === 1) return executions.left[execution * count + after[0]!]!;
    return this.together(execution, after, ancestors, key);
  }

  /** Records alive in every one of the `last` stages: filters of branches drop records independently of each other. */
  private together(execution: number, last: readonly number[], all: readonly number[], key: number): number {
    const { executions, seed, count } = this.world;
    const { left, entered } = executions;
    const from = execution * count;
    let least = executions.batchRecords[execution]!;
    for (const i of last) least = Math.min(least, left[from + i]!);
    if (least === 0) return 0;
    let expected = executions.batchRecords[execution]!;
    for (const i of all) expected *= left[from + i]! / Math.max(1, entered[from + i]!);
    return Math.min(least, rounded(expected + 1e-9, hash(seed + JOIN, executions.firstRecord[execution]!, key)));
  }
}
