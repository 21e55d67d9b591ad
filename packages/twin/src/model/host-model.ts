/** Where functions run: what is the same for all of them. Times in milliseconds, memory in MB. */
export interface HostModel {
  readonly cores: number;
  /** An instance of m MB gets min(1, m / 1769) of a core, as on the priced cloud; with soft limits every instance may use a whole one. */
  readonly cpuFollowsMemory: boolean;
  /** What every invocation costs beside its functions: taking the task, reading and writing the batch. */
  readonly invocation: { readonly cpuMs: number; readonly ioMs: number };
  /** CPU for reading or writing 1 KB of records. */
  readonly serialisationMsPerKb: number;
  /** An instance that has loaded nothing. */
  readonly instanceMb: number;
  /** κ of γ(m) = 1 + κ·h / (m − h): what CPU costs more as the working set h nears the limit m (garbage collection). */
  readonly pressure: number;
  /** From asking for an instance until it takes an invocation. */
  readonly coldStartMs: number;
  /** An instance without work for so long is ended. */
  readonly idleMs: number;
  /** `on-demand`: an invocation that finds none idle starts an instance, within the concurrency. `ahead`: as many as the concurrency are kept. */
  readonly provisioning: 'on-demand' | 'ahead';
  readonly temporal: TemporalModel;
}

/**
 * Temporal as a first-come-first-served station with some servers: what passes it is served, then takes a fixed time. On the host of the functions
 * its servers are the host's cores, and functions compute on them too.
 */
export interface TemporalModel {
  readonly servers: number;
  /** Per activity: scheduling, fetching, completing and the workflow task between. */
  readonly activityMs: number;
  /** Per execution: start with its first workflow task, and settling with its last. */
  readonly startMs: number;
  readonly settleMs: number;
  /** Per record of an execution, half with its start and half with its settling: read and written with the batch. */
  readonly recordMs: number;
  /** Added to every hop, whatever the load. */
  readonly latencyMs: number;
  /** Its CPU is taken from the cores of this host, as in a local stack. */
  readonly onHost: boolean;
}

/**
 * A local stack with the development server of Temporal, its server on the same two cores. Temporal and cold starts as measured on it
 * (about 7 ms of CPU per activity; a bare instance 43 MB and about 140 ms to start).
 */
export const LOCAL_HOST: HostModel = {
  cores: 2,
  cpuFollowsMemory: false,
  invocation: { cpuMs: 2, ioMs: 1 },
  serialisationMsPerKb: 0.03,
  instanceMb: 50,
  pressure: 0.12,
  coldStartMs: 250,
  idleMs: 60_000,
  provisioning: 'on-demand',
  temporal: { servers: 1, activityMs: 7, startMs: 7, settleMs: 5, recordMs: 0, latencyMs: 3, onHost: true },
};

/** MB that come with one whole core on the priced cloud. */
export const MB_PER_CORE = 1769;
/** A working set above this share of the limit is not run: nothing is left for peaks. */
export const MEMORY_SHARE = 0.95;

/** σ(m): the part of a core that an instance of `memoryMb` gets. */
export function cpuShare({ cpuFollowsMemory }: Pick<HostModel, 'cpuFollowsMemory'>, memoryMb: number): number {
  return cpuFollowsMemory ? Math.min(1, memoryMb / MB_PER_CORE) : 1;
}

/** γ(m): how many times the CPU that is needed where memory is plenty. Infinite where the working set does not fit. */
export function memoryPressure({ pressure }: Pick<HostModel, 'pressure'>, workingSetMb: number, memoryMb: number): number {
  return fits(workingSetMb, memoryMb) ? 1 + (pressure * workingSetMb) / (memoryMb - workingSetMb) : Number.POSITIVE_INFINITY;
}

export function fits(workingSetMb: number, memoryMb: number): boolean {
  return workingSetMb <= MEMORY_SHARE * memoryMb;
}
