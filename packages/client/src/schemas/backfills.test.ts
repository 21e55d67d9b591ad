import { expect, it } from 'vitest';
import { NewBackfill } from './backfills.js';

it('refuses the scope of direct starts', () => {
  const source = { kind: 'jsonl', path: '/data/orders.jsonl' } as const;
  expect(NewBackfill.safeParse({ source, scope: 'live' }).error?.issues).toMatchObject([
    { path: ['scope'], message: expect.stringContaining('direct starts') },
  ]);
  for (const scope of ['live-2', 'lively', '2026']) expect(NewBackfill.safeParse({ source, scope }).success).toBe(true);
});
