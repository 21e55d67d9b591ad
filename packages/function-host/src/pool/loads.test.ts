import { expect, it } from 'vitest';
import type { Ended } from '../process/instance-process.js';
import { Loads } from './loads.js';

const late: Ended = { why: 'late', message: 'the release did not load within 1 ms' };

it('takes a release for broken that was late twice, one after the other, and rests before it is tried again', () => {
  let now = 0;
  const loads = new Loads(() => now);
  now = 10;
  expect(loads.judge(late, 0)).toBe(late);
  expect(loads.judge(late, 1)).toBe(late); // Was under way when the first was late.
  expect(loads.hopeless).toBeUndefined();
  now = 20;
  const broken = loads.judge(late, 10);
  expect(broken).toMatchObject({ why: 'broken', message: expect.stringMatching(/within 1 ms, 2 times .* defineResource/) as string });
  expect(loads.hopeless).toBe(broken);
  now += 60_000;
  expect(loads.hopeless).toBeUndefined();
  expect(loads.judge(late, now)).toMatchObject({ why: 'broken' });
});

it('begins to count anew with a start that is in time', () => {
  const loads = new Loads();
  loads.judge(late, performance.now());
  expect(loads.judge(undefined, performance.now())).toBeUndefined();
  expect(loads.judge(late, performance.now())).toBe(late);
});

it('leaves every other end as it is', () => {
  const died: Ended = { why: 'died', message: 'the process was killed by SIGKILL' };
  const loads = new Loads();
  for (let i = 0; i < 3; i++) expect(loads.judge(died, performance.now())).toBe(died);
});
