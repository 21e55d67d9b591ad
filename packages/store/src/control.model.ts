/** The control of an allocation: what an interval showed, and what was decided of it. */
import type { StageAllocation } from '@autoflow/topology';
import type { ControlTick } from '@autoflow/twin';

/** What can be told of one interval of a version from outcomes, measurements and the inbox; counts of `batch` are executions. */
export interface MeasuredInterval {
  readonly from: Date;
  readonly to: Date;
  /** Batches opened in it, and records of these. */
  readonly opened: number;
  readonly openedRecords: number;
  /** Batches that functions brought to an end in it, the earliest hundred at most, and those of them of which no invocation was measured. */
  readonly closed: number;
  readonly untold: number;
  /** Records whose age went past the service level in it, finished or not. */
  readonly lateRecords: number;
  /** Records that wait in the inbox now to be opened for the version. */
  readonly waitingRecords: number;
  /** By which arms and backfills these are told: where it has changed, fewer may wait without having been opened. */
  readonly feeding: string;
  readonly stages: { readonly [stage: string]: MeasuredStage };
  /** When a function host last said what it has; undefined: none does. */
  readonly heardAt?: Date;
}
export interface MeasuredStage {
  /** Batches that are in it or wait for it, at the end. */
  readonly present: number;
  /** Invocations that ended, their time on an instance together, and of it the CPU's, in milliseconds. */
  readonly served: number;
  readonly serviceMs: number;
  readonly cpuMs: number;
  /** Instances that worked, on average. */
  readonly busy: number;
  readonly workingSetMb: number;
  readonly outOfMemory: number;
  /** The largest size of which an instance ran out, also where more is allocated by now; 0: none did. */
  readonly outOfMemoryMb: number;
}

/** Of the latest invocations of a version: time on an instance and its coefficient of variation, and how long instances take to start. */
export interface KnownServices {
  readonly stages: { readonly [stage: string]: { readonly ms: number; readonly cv: number } };
  readonly coldStartMs?: number;
}

/** What is known of memory before an interval is looked at. */
export interface KnownMemory {
  /** Whether any live host says that its instances have less CPU with less memory; true as well where none says how it limits them. */
  readonly cpuFollows: boolean;
  /** By stage the largest size that was too small in the steps that are kept: an instance ran out of it, or a larger one was wanted. */
  readonly tooSmallMb: { readonly [stage: string]: number };
}

/** `shadow`: nothing is set. `fallback`: the rule decides what is set. `acting`: the agent does. */
export type ControlMode = 'off' | 'shadow' | 'fallback' | 'acting';

export interface ControlStatus {
  readonly mode: ControlMode;
  readonly why: string;
  readonly version?: string;
  /** Whether the agent has beaten the fallback, by the latest comparisons. */
  readonly agentStands: boolean;
  /** Policy and objective that this is about. */
  readonly provenFor?: string;
  /** The latest, the oldest first. */
  readonly comparisons: readonly Comparison[];
  /** Intervals since the last of them. */
  readonly sinceComparison: number;
  /** Steps since the latest interval that found no new one. */
  readonly waits?: number;
}

/** What agent and fallback would have made, in the twin, of the arrivals that were observed. */
export interface Comparison {
  readonly at: string;
  readonly intervals: number;
  readonly agent: TwinScore;
  readonly fallback: TwinScore;
}

/** An interval as it is kept: what the controller is shown, and what the next interval is counted from. */
export interface KeptTick {
  readonly tick: ControlTick;
  /** In the order of the tick. */
  readonly stages: readonly string[];
  /** Batches by stage, and records of the version in the inbox, at its end. */
  readonly present: { readonly [stage: string]: number };
  readonly waitingRecords: number;
  /** As of `MeasuredInterval`. Undefined, here and below: of an interval that was kept before this was. */
  readonly feeding?: string;
  /** How long intervals were meant to be. */
  readonly intervalMs?: number;
  /** Of the batches that were last opened. */
  readonly recordsPerBatch?: number;
  /** Nothing before it is remembered: there was a gap. */
  readonly anew: boolean;
}

export interface KeptDecision {
  readonly mode: ControlMode;
  readonly why: string;
  readonly stages: { readonly [stage: string]: DecidedStage };
  /** Of the allocation that was set; undefined: nothing was to be changed, or might be. */
  readonly revision?: number;
  /** Why it could not be set. */
  readonly refused?: string;
}
export interface DecidedStage {
  readonly now: StageAllocation;
  readonly wanted: StageAllocation;
  /** What the rule wants. */
  readonly fallback: StageAllocation;
  readonly reason: string;
}

/** Provisioned memory as a multiple of what the mean load keeps busy, share of late records, and both weighed: lower is better. */
export interface TwinScore {
  readonly cost: number;
  readonly late: number;
  readonly score: number;
}

export interface ControlStepRow {
  readonly pipeline: string;
  /** Its end. */
  readonly at: Date;
  readonly version: string;
  readonly tick: KeptTick;
  readonly decided: KeptDecision;
}

export interface ClaimedControl {
  /** Undefined: nothing was controlled yet. */
  readonly state?: ControlStatus;
  /** The clock by which intervals are measured: the database's. */
  readonly now: Date;
}

export interface ControlStore {
  /** Pipelines whose control nobody holds. */
  unattended(): Promise<readonly string[]>;
  /** The control is the caller's until `forMs` from now. Undefined while it is another's. */
  claim(request: { pipeline: string; holder: string; forMs: number }): Promise<ClaimedControl | undefined>;
  /** Of the version, the oldest first. */
  steps(pipeline: string, version: string, limit: number): Promise<readonly ControlStepRow[]>;
  /** Keeps what was decided and the state after it, and holds on for `forMs`; false when the control is another's by now: then nothing is kept. */
  keep(request: {
    pipeline: string;
    holder: string;
    forMs: number;
    state: ControlStatus;
    step?: Omit<ControlStepRow, 'pipeline'>;
  }): Promise<boolean>;
  release(pipeline: string, holder: string, state: ControlStatus): Promise<void>;
  /** Undefined where nothing was ever controlled. */
  get(pipeline: string): Promise<{ readonly state?: ControlStatus; readonly updatedAt: Date; readonly held: boolean } | undefined>;
  /** Newest first. */
  latest(pipeline: string, limit: number): Promise<readonly ControlStepRow[]>;
  measure(request: {
    pipeline: string;
    version: string;
    from: Date;
    to: Date;
    /** `memoryMb` is what is allocated: instances that ran out of less are not counted. */
    stages: readonly { readonly name: string; readonly after: readonly string[]; readonly partitions: number; readonly memoryMb: number }[];
    sloMs: number;
    /** Invocations are looked for that began so long before. */
    longestMs: number;
  }): Promise<MeasuredInterval>;
  services(pipeline: string, version: string): Promise<KnownServices>;
  memory(pipeline: string, version: string): Promise<KnownMemory>;
}
