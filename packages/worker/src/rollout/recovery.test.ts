import { expect, test } from 'vitest';
import { recover } from './recovery.js';

const endedAt = new Date(Date.now() - 600_000);
const step = { percent: 5, from: 1, to: 2 };

test('a rollout that cannot be looked after keeps none of the others from it, nor from being charged; one with batches under way is not yet', async () => {
  const [started, charged, logged]: [string[], string[], string[]] = [[], [], []];
  const active = ['lost', 'stuck', 'left'].map((id) => ({ id, pipeline: id, createdAt: endedAt }));
  const uncharged = ['odd', 'busy', 'even'].map((id) => ({ id, pipeline: id, steps: [step], endedAt }));
  const store = {
    rollouts: { active: async () => active, uncharged: async () => uncharged, charge: async (id: string) => void charged.push(id) },
    comparisons: {
      clock: async () => Date.now(),
      settled: async (pipeline: string) => pipeline !== 'busy',
      totals: async (pipeline: string) => (pipeline === 'odd' ? Promise.reject(new Error('too much')) : { stable: { records: 1 } }),
    },
  };
  const workflow = {
    getHandle: (id: string) => ({
      describe: async () => (id.includes('stuck') ? Promise.reject(new Error('away')) : { status: { name: 'COMPLETED' } }),
    }),
    start: async (_: string, { workflowId }: { workflowId: string }) => void started.push(workflowId),
  };
  await recover({ store, client: { workflow }, log: (_: string, what: string) => void logged.push(what) } as never);
  expect(started).toEqual([expect.stringContaining('lost'), expect.stringContaining('left')]);
  expect(charged).toEqual(['even']);
  expect(logged.filter((what) => what.includes('not'))).toEqual(['a rollout was not looked after', 'a rollout was not charged']);
});
