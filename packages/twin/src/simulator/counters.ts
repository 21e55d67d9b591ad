/** What happened since the last `reset`, by stage index. Times in milliseconds, memory in MB. */
export class StageCounters {
  readonly invocations: Float64Array;
  readonly recordsIn: Float64Array;
  readonly retried: Float64Array;
  readonly coldStarts: Float64Array;
  /** Waiting for Temporal, and for an instance. */
  readonly dispatchMs: Float64Array;
  readonly waitMs: Float64Array;
  readonly serviceMs: Float64Array;
  readonly cpuMs: Float64Array;
  readonly ioMs: Float64Array;
  readonly billedMbMs: Float64Array;
  /** Integrals over time: instances there (idle and starting included) and busy, invocations queued. */
  readonly provisionedMs: Float64Array;
  readonly busyMs: Float64Array;
  readonly queuedMs: Float64Array;
  readonly provisionedMbMs: Float64Array;
  readonly usedMbMs: Float64Array;

  constructor(stages: number) {
    const zeros = (): Float64Array => new Float64Array(stages);
    this.invocations = zeros();
    this.recordsIn = zeros();
    this.retried = zeros();
    this.coldStarts = zeros();
    this.dispatchMs = zeros();
    this.waitMs = zeros();
    this.serviceMs = zeros();
    this.cpuMs = zeros();
    this.ioMs = zeros();
    this.billedMbMs = zeros();
    this.provisionedMs = zeros();
    this.busyMs = zeros();
    this.queuedMs = zeros();
    this.provisionedMbMs = zeros();
    this.usedMbMs = zeros();
  }

  reset(): void {
    for (const counter of Object.values(this) as Float64Array[]) counter.fill(0);
  }
}

/** What happened since the last `reset`, all stages together. */
export class RunCounters {
  arrived = 0;
  /** Records with an outcome, by outcome. */
  completed = 0;
  filtered = 0;
  dead = 0;
  executions = 0;
  activities = 0;
  timers = 0;

  reset(): void {
    this.arrived = this.completed = this.filtered = this.dead = this.executions = this.activities = this.timers = 0;
  }
}
