/** What the workflow of a retraining and its activity say to each other. The scorer itself and its figures are in rows. */

export interface RetrainingRequest {
  /** Of the scorer that comes of it: whoever asks again for the same gets what there is. */
  readonly id: string;
  readonly pipeline: string;
  /** History of so long is learned from; default: 30 days. */
  readonly sinceMs?: number;
  /** Stretches of so long are measured as one; default: a minute. */
  readonly stretchMs?: number;
  readonly seed?: number;
}

/** The scorer is kept, and used for this pipeline, only where it is nearer than the one before to versions that neither has learned from. */
export interface RetrainingReport {
  readonly id: string;
  readonly kept: boolean;
  readonly reason: string;
}

export interface RetrainingActivities {
  /** Heartbeats; may be run again. Fails for good with `NOT_IDENTIFIABLE` where the history does not tell enough. */
  retrainScorer(request: RetrainingRequest): Promise<RetrainingReport>;
}
