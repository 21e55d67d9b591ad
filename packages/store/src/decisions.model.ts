/** What stays or becomes stable is decided for the workload that there is then. */
import type { Actor } from './definitions.model.js';

export interface DecisionRow {
  /** Of this decision alone. */
  readonly id: string;
  readonly pipeline: string;
  /** When the topology that is stable now became so, or was last kept for another workload. */
  readonly at: Date;
  /** Since then it is known that its workload is no more. */
  readonly expiredAt?: Date;
}

export interface DecisionStore {
  /**
   * The one that holds, whoever made it: a rollout, or a person by hand. It is about the topology, so it goes on with versions of later releases that
   * keep that. Undefined for a pipeline that is not there.
   */
  current(pipeline: string): Promise<DecisionRow | undefined>;
  /** The workload that the version was decided for is no more. False when that was known. */
  expire(pipeline: string, version: string, by: Actor): Promise<boolean>;
  /** What is stable stays, for the workload of now: a decision of its own in place of this one, which has expired. False when another one holds by now. */
  keep(decision: Pick<DecisionRow, 'id' | 'pipeline'>, by: Actor): Promise<boolean>;
}
