import { code, DISPATCH, INDEX, PASSED, SERVED, SHIFT, START } from './events.js';
import { Fifo } from './heap.js';
import type { World } from './world.js';

/** Temporal as a station: servers that starts, dispatches and settlements queue for, and a fixed latency after it. */
export class TemporalStation {
  private readonly queue = new Fifo();
  private serving = 0;

  constructor(
    private readonly world: World,
    private readonly passed: (event: number) => void,
  ) {}

  /** What takes no work does not queue. */
  pass(kind: number, index: number): void {
    const job = code(kind, index);
    if (this.work(job) <= 0) this.afterService(job + (SERVED << SHIFT));
    else if (this.serving < this.world.plan.host.temporal.servers) this.serve(job);
    else this.queue.push(job);
  }

  endService(event: number): void {
    this.serving--;
    if (this.queue.size > 0) this.serve(this.queue.shift());
    this.afterService(event);
  }

  private work(job: number): number {
    const { startMs, activityMs, settleMs, recordMs } = this.world.plan.host.temporal;
    const kind = job >> SHIFT;
    if (kind === DISPATCH) return activityMs;
    const ofRecords = (recordMs * this.world.executions.batchRecords[job & INDEX]!) / 2;
    return ofRecords + (kind === START ? startMs : settleMs);
  }

  private serve(job: number): void {
    const { world } = this;
    const work = this.work(job);
    this.serving++;
    if (world.plan.host.temporal.onHost) world.cpu.add(work, 1, job + (SERVED << SHIFT));
    else world.after(work, job + (SERVED << SHIFT));
  }

  private afterService(event: number): void {
    const { latencyMs } = this.world.plan.host.temporal;
    const passed = event + ((PASSED - SERVED) << SHIFT);
    if (latencyMs > 0) this.world.after(latencyMs, passed);
    else this.passed(passed);
  }
}
