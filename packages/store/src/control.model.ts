/** The control of an allocation: what an interval showed, and what was decided of it. */

/** What can be told of one interval of a version from outcomes, measurements and the inbox; counts of `batch` are executions. */
export interface MeasuredInterval {
  readonly from: Date;
  readonly to: Date;
  /** Batches opened in it, and records of these. */
  readonly opened: number;
  readonly openedRecords: number;
  /** Batches closed in it. */
  readonly closed: number;
  /** Records whose age went past the service level in it, finished or not. */
  readonly lateRecords: number;
  /** Records that wait in the inbox now. */
  readonly waitingRecords: number;
  readonly stages: { readonly [stage: string]: MeasuredStage };
  /** When a function host last said what it has; undefined: none does. */
  readonly heardAt?: Date;
}
export interface MeasuredStage {
  /** Batches that are in it or wait for it, at the end. */
  readonly present: number;
  /** Invocations that ended, and their time on an instance together, in milliseconds. */
  readonly served: number;
  readonly serviceMs: number;
  /** Instances that worked, on average. */
  readonly busy: number;
  readonly workingSetMb: number;
  readonly outOfMemory: number;
}

/** Of the latest invocations of a version: time on an instance and its coefficient of variation, and how long instances take to start. */
export interface KnownServices {
  readonly stages: { readonly [stage: string]: { readonly ms: number; readonly cv: number } };
  readonly coldStartMs?: number;
}

export interface ControlStepRow<Tick = unknown, Decided = unknown> {
  readonly pipeline: string;
  readonly at: Date;
  readonly version: string;
  readonly tick: Tick;
  readonly decided: Decided;
}

export interface ClaimedControl<State = unknown> {
  readonly state: State | undefined;
  /** The clock by which intervals are measured: the database's. */
  readonly now: Date;
}

/** What is not the store's to understand (state, tick, decision) it keeps as JSON. */
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
    state: object;
    step?: Omit<ControlStepRow, 'pipeline'>;
  }): Promise<boolean>;
  release(pipeline: string, holder: string, state: object): Promise<void>;
  /** Undefined where nothing was ever controlled. */
  get(pipeline: string): Promise<{ readonly state: unknown; readonly updatedAt: Date; readonly held: boolean } | undefined>;
  /** Newest first. */
  latest(pipeline: string, limit: number): Promise<readonly ControlStepRow[]>;
  measure(request: {
    pipeline: string;
    version: string;
    from: Date;
    to: Date;
    stages: readonly { readonly name: string; readonly after: readonly string[]; readonly partitions: number }[];
    sloMs: number;
    /** Invocations are looked for that began so long before. */
    longestMs: number;
  }): Promise<MeasuredInterval>;
  services(pipeline: string, version: string): Promise<KnownServices>;
}
