import { describe, expect, it } from 'vitest';
import { plannedActions, temporalActions } from './temporal-actions.js';

describe('Temporal actions', () => {
  it('count starts, attempts, timers, tasks with local activities, heartbeats, upserts and queries, one each', () => {
    expect(temporalActions({})).toBe(1);
    expect(
      temporalActions({
        runs: 2,
        activityAttempts: 3,
        timers: 5,
        localActivityTasks: 7,
        heartbeats: 11,
        searchAttributeUpserts: 13,
        queries: 17,
      }),
    ).toBe(58);
  });

  it('of a plan are its start, an activity per stage and partition, and the platform’s own work', () => {
    const stages = [
      { name: 'a', nodes: ['a'], after: [], partitions: 1 },
      { name: 'b', nodes: ['b'], after: ['a'], partitions: 4 },
    ];
    expect(plannedActions({ stages }, 'batch')).toBe(1 + 5 + 1);
    expect(plannedActions({ stages }, 'direct')).toBe(1 + 5 + 2);
  });
});
