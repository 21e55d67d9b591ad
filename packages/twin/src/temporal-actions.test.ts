import { expect, it } from 'vitest';
import { temporalActions } from './temporal-actions.js';

it('counts starts, attempts, timers, tasks with local activities, heartbeats, upserts and queries, one each', () => {
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
