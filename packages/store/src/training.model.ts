/** The parameters that parallel learners share, one row per version, and what became of a training. */
export interface TrainingStore {
  /** Version 0. Nothing happens where the training is there already: who starts it may do so again. */
  create(training: { readonly id: string; readonly settings: object; readonly weights: Float32Array }): Promise<void>;
  get(id: string): Promise<TrainingRow | undefined>;
  /** Newest first; `after` is an id. */
  page(page: { readonly limit: number; readonly after?: string }): Promise<TrainingRow[]>;
  /** The newest version that is whole: one whose checksum does not match is passed over. Throws `NotFoundError` where there is none. */
  pull(id: string): Promise<PulledParameters>;
  /**
   * Adds a learner's change to the newest version, as the next one, if nobody was faster; else to that one's, and so on. Scaled by
   * 1/(1 + lag/8), lag being the versions since the learner's base; refused beyond 32, where it holds what is not finite, and
   * where it has more or fewer parameters than the training.
   */
  push(delta: PushedDelta): Promise<PushAnswer>;
  /** What a learner needs to go on elsewhere; `state` is its own business. Undefined: it never left any, or what it left is damaged. */
  checkpoint(training: string, learner: number, state: Buffer): Promise<void>;
  resume(training: string, learner: number): Promise<Buffer | undefined>;
  /**
   * A point of the reward curve; the version with the lowest score is kept, and is what the training gives. `weights` are those of the
   * version: while it was judged, others may have added so many that it was forgotten.
   */
  addPoint(training: string, point: TrainingPoint, weights: Float32Array): Promise<void>;
  curve(training: string): Promise<readonly TrainingPoint[]>;
  best(training: string): Promise<(PulledParameters & { readonly score: number }) | undefined>;
  end(training: string, outcome: TrainingOutcome): Promise<void>;
}

export type TrainingOutcome = 'completed' | 'stopped-early' | 'cancelled' | 'failed';

export interface TrainingRow {
  readonly id: string;
  readonly settings: object;
  readonly createdAt: Date;
  readonly endedAt?: Date;
  readonly outcome?: TrainingOutcome;
  /** From its beginning until its end, or until now: by the database's clock, whoever asks. */
  readonly seconds: number;
  readonly version: number;
  /** Decisions behind the newest version. */
  readonly steps: number;
}
export interface PulledParameters {
  readonly version: number;
  readonly steps: number;
  readonly weights: Float32Array;
}
export interface PushedDelta {
  readonly training: string;
  readonly learner: number;
  /** The version that it was computed from. */
  readonly base: number;
  readonly delta: Float32Array;
  readonly steps: number;
}
export type PushAnswer =
  | { readonly applied: true; readonly version: number; readonly lag: number; readonly steps: number }
  | { readonly applied: false; readonly reason: 'stale' | 'not-finite' | 'other-network'; readonly lag: number };
export interface TrainingPoint {
  readonly steps: number;
  readonly seconds: number;
  readonly version: number;
  readonly score: number;
  readonly cost: number;
  readonly late: number;
}
