import { expect, it } from 'vitest';
import { stretches } from './ledger.js';

const DAY_MS = 86_400_000;
const at = (days: number): Date => new Date(days * DAY_MS);
const promoted = { state: 'promoted', version: 'v2', baseline: 'v1', endedAt: at(100.5) };
const set = (days: number, before: string, after: string) => ({ at: at(days), before: { version: before }, after: { version: after } });

it('a version saves from its promotion to the next move of the pointer, day by day', () => {
  const found = stretches(
    [promoted, { ...promoted, state: 'rolled-back' }],
    [set(100.4, 'v1', 'v2'), set(101.25, 'v2', 'v3')],
    0,
    103 * DAY_MS,
  );
  expect(found).toEqual([
    { version: 'v2', against: 'v1', from: 100.5 * DAY_MS, to: 101 * DAY_MS },
    { version: 'v2', against: 'v1', from: 101 * DAY_MS, to: 101.25 * DAY_MS },
  ]);
});

it('a pointer that is set to where it is, to end a canary, moves nothing', () => {
  const all = stretches([promoted], [], 0, 102 * DAY_MS);
  expect(stretches([promoted], [set(101.25, 'v2', 'v2')], 0, 102 * DAY_MS)).toEqual(all);
});
