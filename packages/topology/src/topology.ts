/** The physical graph of a pipeline: what the interpreter walks. Topologies are data, immutable, and content-hashed. */

export interface Stage {
  /** Ids of its nodes joined by `+` (long ones shortened with a hash); the activity type. Unique within the topology. */
  readonly name: string;
  /** Ids of the nodes that run here, in the order in which they run. */
  readonly nodes: readonly string[];
  /** Names of the stages that must be done before; empty: starts on the batch as admitted. */
  readonly after: readonly string[];
  /** Parts of a batch that run beside each other; 1 = undivided. */
  readonly partitions: number;
  /** What its records lose when they leave it; absent: nothing. */
  readonly drops?: Drops;
}

/** What no later stage needs and no outcome shows: it is not written on. Never empty in both. */
export interface Drops {
  /** Of the record itself. */
  readonly fields: readonly string[];
  /** Ids of expands of the record, whose children go with all that they hold. */
  readonly children: readonly string[];
}

export interface Topology {
  readonly stages: readonly Stage[];
  /** A batch holds at most so many records and bytes; it is split again when records grow. */
  readonly batch: { readonly records: number; readonly bytes: number };
  /** How long a feeder waits for a batch to fill. */
  readonly lingerMs: number;
}

/** What allocations may do, per stage: memory sizes in MB (ascending) and instances. */
export interface StageEnvelope {
  readonly memoryMb: readonly number[];
  readonly concurrency: { readonly min: number; readonly max: number };
}
export type Envelope = { readonly [stage: string]: StageEnvelope };

/** Desired memory (MB) and concurrency (instances, fleet-wide) of one stage. */
export interface StageAllocation {
  readonly memoryMb: number;
  readonly concurrency: number;
}
export type Allocation = { readonly [stage: string]: StageAllocation };

/** One reason why a topology is not a legal topology of its pipeline; `pointer` is a JSON pointer into the topology. */
export interface Problem {
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

export const MEMORY_SIZES_MB = [128, 256, 512, 1024, 1769, 3072] as const;
export const DEFAULT_BATCH_BYTES = 8 * 1024 * 1024;
