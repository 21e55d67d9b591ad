/** What one execution did on Temporal, counted as Temporal Cloud bills it. */
export interface TemporalUse {
  /** The start, and one for each continue-as-new. */
  readonly runs: number;
  /** Attempts of activities, those that Temporal itself retried included; not of local activities. */
  readonly activityAttempts: number;
  readonly timers: number;
  /** Workflow tasks that recorded local activities: however many one task records, they are one action. */
  readonly localActivityTasks: number;
  /** Heartbeats that reached the server; the SDK throttles them to one per 80 % of the heartbeat timeout. */
  readonly heartbeats: number;
  /** Upserts after the start; search attributes given at the start are free. */
  readonly searchAttributeUpserts: number;
  readonly queries: number;
}

/**
 * Actions of an execution: starts, activity attempts, timers, tasks with local activities, heartbeats, upserts and queries, one each;
 * workflow tasks, completions and replays none. Source: https://docs.temporal.io/cloud/actions
 */
export function temporalActions(use: Partial<TemporalUse>): number {
  const {
    runs = 1,
    activityAttempts = 0,
    timers = 0,
    localActivityTasks = 0,
    heartbeats = 0,
    searchAttributeUpserts = 0,
    queries = 0,
  } = use;
  return runs + activityAttempts + timers + localActivityTasks + heartbeats + searchAttributeUpserts + queries;
}
