/** What a controller may know of a pipeline: how it is wired and bounded, and what each interval showed. The twin and the live fleet give the same. */

export interface ControlledStage {
  readonly name: string;
  /** Stages before it and after it, by index. Stages come in topological order. */
  readonly after: readonly number[];
  readonly followers: readonly number[];
  /** What the envelope, its resources and its group on the fleet leave it. */
  readonly concurrency: { readonly min: number; readonly max: number };
  /** Permitted sizes, ascending. */
  readonly memoryMb: readonly number[];
}

export interface ControlledPipeline {
  readonly stages: readonly ControlledStage[];
  /** A record that takes longer from its arrival to its outcome is late. */
  readonly sloMs: number;
  readonly coldStartMs: number;
  /** Between two decisions. */
  readonly intervalMs: number;
  /** Instances of all stages together; default: no bound. */
  readonly fleet?: number;
  /** Whether an instance of less memory has less CPU; default: it has. */
  readonly cpuFollowsMemory?: boolean;
}

/** One interval, as it is known at its end. */
export interface ControlTick {
  /** Its end, in milliseconds. */
  readonly at: number;
  /** Batches that came in: executions that were opened. */
  readonly arrived: number;
  /** Those whose age went past the service level, finished or not. */
  readonly late: number;
  /** By stage. */
  readonly stages: readonly StageTick[];
}

export interface StageTick {
  /** Invocations that asked for an instance. */
  readonly arrivals: number;
  /** Invocations that ended, and their time on an instance together. */
  readonly served: number;
  readonly serviceMs: number;
  /** What they computed of it, where it is measured. */
  readonly cpuMs?: number;
  /** Integrals over the interval. */
  readonly busyMs: number;
  readonly provisionedMs: number;
  /** At its end. */
  readonly queued: number;
  readonly starting: number;
  /** Desired during it. */
  readonly concurrency: number;
  readonly memoryMb: number;
  /** Largest of the interval, where it is measured, and instances that died for want of memory. */
  readonly workingSetMb?: number;
  readonly outOfMemory?: number;
  /** The largest size of which one died, also of those that are not allocated any more; 0: none did. */
  readonly outOfMemoryMb?: number;
}

/** What a controller wants of one stage. */
export interface StageTarget {
  readonly concurrency: number;
  readonly memoryMb: number;
}
