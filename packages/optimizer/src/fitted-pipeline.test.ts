import { expect, it } from 'vitest';
import { misses } from './fitted-pipeline.js';

const exact = { costPer1000: 0, throughput: 0, p95: 0 };

it.each([
  [{ costPer1000: -0.24, throughput: 0.29, p95: 0.99 }, false, []],
  [{ ...exact, costPer1000: 0.26 }, false, ['cost']],
  [{ ...exact, throughput: -0.31 }, false, ['throughput']],
  [{ ...exact, p95: 1.1 }, false, ['p95']],
  [{ ...exact, p95: -0.8 }, false, ['p95']],
  [{ ...exact, p95: -0.8 }, true, []],
  [{ ...exact, throughput: Number.NaN }, true, ['throughput']],
])('a twin with the errors %j (at saturation: %s) is unfit in %j', (error, saturated, unfit) => {
  expect(misses(error, saturated)).toEqual(unfit.map((what) => expect.stringContaining(`misses the ${what} of`)));
});
