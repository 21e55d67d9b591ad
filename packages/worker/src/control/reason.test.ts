import { describe, expect, test } from 'vitest';
import type { KeptDecision } from '@autoflow/store';
import type { ControlTick, StageTick } from '@autoflow/twin';
import { observedOf, reasonOf } from './reason.js';

const of = (concurrency: number) => ({ memoryMb: 512, concurrency });
const stages = Array.from({ length: 20 }, (_, s) => ({ name: `stage-${s}` })) as unknown as Parameters<typeof reasonOf>[1]['stages'];
/** The first so many change. */
const decided = (changing: number): KeptDecision => ({
  mode: 'fallback',
  why: 'only 2 intervals are known yet',
  stages: Object.fromEntries(
    stages.map(({ name }, s) => [
      name,
      { now: of(2), wanted: of(s < changing ? 6 : 2), fallback: of(6), reason: 'as many as are needed for what came' },
    ]),
  ),
});
const seen: StageTick = {
  arrivals: 9.5,
  served: 8,
  serviceMs: 800,
  busyMs: 15_000,
  provisionedMs: 30_000,
  queued: 4,
  starting: 0,
  ...of(2),
};
const tick: ControlTick = { at: 1_000, arrived: 12, late: 1, stages: stages.map((_, s) => ({ ...seen, served: s })) };

describe('the reason of a change', () => {
  test('names who decided, and what was seen of each stage that changes', () => {
    expect(reasonOf(decided(2), { stages }, tick)).toBe(
      'fallback (only 2 intervals are known yet): ' +
        'stage-0 2 → 6: as many as are needed for what came (9.5 came, 0 served, 4.0 wait, 50 % busy); ' +
        'stage-1 2 → 6: as many as are needed for what came (9.5 came, 1 served, 4.0 wait, 50 % busy)',
    );
  });

  test('leaves whole stages out where there are too many to be read, and says how many', () => {
    const reason = reasonOf(decided(20), { stages }, tick);
    const told = reason.split('; ').slice(0, -1);
    expect(told.length).toBeGreaterThan(5);
    for (const change of told) expect(change).toMatch(/% busy\)$/);
    expect(reason.length).toBeLessThan(1_000);
    expect(reason).toMatch(new RegExp(`; and ${20 - told.length} more$`));
  });
});

test('what was observed has every stage that changes, and none that does not', () => {
  const observed = observedOf(decided(19), { stages }, tick) as { stages: object };
  expect(observed).toMatchObject({ at: '1970-01-01T00:00:01.000Z', arrived: 12, late: 1 });
  expect(Object.keys(observed.stages)).toEqual(stages.slice(0, 19).map(({ name }) => name));
  expect(observed.stages).toMatchObject({ 'stage-18': { reason: 'as many as are needed for what came', ...seen, served: 18 } });
  expect(observedOf(decided(1), { stages }, undefined)).toEqual({
    stages: { 'stage-0': { reason: 'as many as are needed for what came' } },
  });
});
