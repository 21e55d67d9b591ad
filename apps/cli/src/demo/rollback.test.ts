import { expect, it } from 'vitest';
import { onlyOn } from './rollback.js';

it('records ran on a version when all of them did, but for the few of a holdout', () => {
  expect(onlyOn('v2', { v2: 20 })).toBe(true);
  expect(onlyOn('v2', { v2: 18, v1: 2 }, 'v1')).toBe(true);
  expect(onlyOn('v2', { v2: 18, v1: 2 })).toBe(false);
  expect(onlyOn('v2', { v2: 17, v1: 2, v3: 1 }, 'v1')).toBe(false);
  expect(onlyOn('v2', { v2: 1, v1: 19 }, 'v1')).toBe(false);
  expect(onlyOn('v2', { v1: 20 }, 'v1')).toBe(false);
  expect(onlyOn('v2', {})).toBe(false);
});
