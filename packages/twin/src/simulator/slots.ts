import { enlarged, Fifo } from './heap.js';

type Integers = Int32Array<ArrayBuffer>;
type Floats = Float64Array<ArrayBuffer>;

const grown = (from: Integers): Integers => enlarged(from, new Int32Array(2 * from.length));
const grownFloats = (from: Floats): Floats => enlarged(from, new Float64Array(2 * from.length));

/** Open executions by slot, one array per property; slots are used again. */
export class ExecutionSlots {
  firstRecord = new Int32Array(64);
  batchRecords = new Int32Array(64);
  stagesLeft = new Int32Array(64);
  died = new Int32Array(64);
  openedAt: Floats = new Float64Array(64);
  /** By slot × stage: stages and parts that are not done yet; records that came, and that are left alive. */
  waitingFor: Integers;
  partsLeft: Integers;
  entered: Integers;
  left: Integers;
  private readonly free = new Fifo();
  private count = 0;

  constructor(stages: number) {
    this.waitingFor = new Int32Array(64 * stages);
    this.partsLeft = new Int32Array(64 * stages);
    this.entered = new Int32Array(64 * stages);
    this.left = new Int32Array(64 * stages);
  }

  take(): number {
    if (this.free.size > 0) return this.free.shift();
    if (this.count === this.firstRecord.length) this.grow();
    return this.count++;
  }
  giveBack(slot: number): void {
    this.free.push(slot);
  }

  private grow(): void {
    this.firstRecord = grown(this.firstRecord);
    this.batchRecords = grown(this.batchRecords);
    this.stagesLeft = grown(this.stagesLeft);
    this.died = grown(this.died);
    this.openedAt = grownFloats(this.openedAt);
    this.waitingFor = grown(this.waitingFor);
    this.partsLeft = grown(this.partsLeft);
    this.entered = grown(this.entered);
    this.left = grown(this.left);
  }
}

/** Invocations under way by slot, one array per property; slots are used again. */
export class InvocationSlots {
  execution = new Int32Array(64);
  stage = new Int32Array(64);
  records = new Int32Array(64);
  /** Of its first record among those that reach the stage. */
  offset = new Int32Array(64);
  /** Dispatches before that ended with records to retry. */
  round = new Int32Array(64);
  /** When it began to wait: for Temporal, then for an instance. */
  since = new Float64Array(64);
  startedAt = new Float64Array(64);
  dispatchMs = new Float64Array(64);
  coldMs = new Float64Array(64);
  cpuMs = new Float64Array(64);
  ioMs = new Float64Array(64);
  share = new Float64Array(64);
  private readonly free = new Fifo();
  private count = 0;

  take(): number {
    if (this.free.size > 0) return this.free.shift();
    if (this.count === this.execution.length) this.grow();
    return this.count++;
  }
  giveBack(slot: number): void {
    this.free.push(slot);
  }

  private grow(): void {
    this.execution = grown(this.execution);
    this.stage = grown(this.stage);
    this.records = grown(this.records);
    this.offset = grown(this.offset);
    this.round = grown(this.round);
    this.since = grownFloats(this.since);
    this.startedAt = grownFloats(this.startedAt);
    this.dispatchMs = grownFloats(this.dispatchMs);
    this.coldMs = grownFloats(this.coldMs);
    this.cpuMs = grownFloats(this.cpuMs);
    this.ioMs = grownFloats(this.ioMs);
    this.share = grownFloats(this.share);
  }
}
