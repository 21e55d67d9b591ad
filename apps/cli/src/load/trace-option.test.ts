import { expect, it } from 'vitest';
import { traceOf, type TraceOptions } from './trace-option.js';

const DAY = 86_400_000;
const times = Array.from({ length: 1000 }, (_, i) => 1_291_190_400_000 + Math.floor((i * 10 * DAY) / 1000 / 60_000) * 60_000);
const options = (more: Partial<TraceOptions>): TraceOptions => ({
  trace: 'constant',
  interpolation: 'step',
  invoiceTimes: async () => times,
  ...more,
});

it.each(['constant', 'poisson', 'step', 'sine', 'burst'])('%s has the mean rate and the duration it is asked for', async (name) => {
  const trace = await traceOf(options({ trace: name, rate: 40, durationMs: 30_000 }));
  expect(trace.durationMs).toBeCloseTo(30_000, 6);
  expect(trace.expected / 30).toBeCloseTo(40, 0);
});

it('invoices come at the mean rate, or at the speed, that is asked for', async () => {
  const paced = await traceOf(options({ trace: 'invoices', rate: 20 }));
  expect([paced.expected, paced.durationMs]).toEqual([1000, expect.closeTo(50_000, -2)]);
  const fast = await traceOf(options({ trace: 'invoices', speed: 86_400, durationMs: 5_000 }));
  expect(fast.expected).toBe(500);
  await expect(traceOf(options({ trace: 'invoices', speed: 1, rate: 1 }))).rejects.toThrow('give one of them');
});

it.each([
  [{ trace: 'square' }, 'There is no trace'],
  [{ trace: 'sine', speed: 2 }, '--speed is for recorded traces'],
  [{ trace: 'azure:0' }, 'AUTOFLOW_DATA'],
])('%j is a usage error', async (wrong, message) => {
  await expect(traceOf(options(wrong))).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
});
