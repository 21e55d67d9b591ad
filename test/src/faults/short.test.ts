/** The short form of `npm run test:faults`: an instance, then a whole host and the feeder at once; and the control plane, that nobody waits for. */
import { useTestStack } from '@autoflow/local-stack/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { delayLine, delaysOf, sendSteadily } from './delays.js';
import { flow } from './flow.js';
import { startFaultyStack, type FaultyStack } from './stack.js';

const servers = useTestStack();
let stack: FaultyStack;

beforeAll(async () => {
  stack = await startFaultyStack(servers, [
    ['workflows', 'workflows,control'],
    ['functions', 'functions'],
    ['feeder', 'feeder'],
  ]);
});
afterAll(() => stack?.stop());

async function restart(name: string): Promise<void> {
  await stack.process(name).kill();
  await stack.process(name).start();
}

test('instances are killed: every record has its one outcome', () =>
  flow(stack, {
    name: 'instances',
    records: 60,
    reruns: true,
    fault: async () => expect(stack.process('functions').killChildren()).toBeGreaterThan(0),
  }));

test('the function host and the feeder are killed at once: every record has its one outcome', () =>
  flow(stack, { name: 'host and feeder', records: 60, reruns: true, fault: () => Promise.all(['functions', 'feeder'].map(restart)) }));

test('the control plane stands still and is then killed: no record waits for it', async () => {
  const phase = { count: 30, everyMs: 100 };
  /** Milliseconds that records may take longer than before, typically and nearly all of them, where times are asserted. One that waits for the control plane has no outcome at all. */
  const margin = 2_000;
  const controlPlane = stack.process('control-plane');
  const alive = () => fetch(`${stack.apiUrl}/v1/health/live`, { signal: AbortSignal.timeout(1_500) });
  /** Until all have completed: what one phase left waiting would be taken for the delay of the next. */
  const delays = async (name: string) => {
    await sendSteadily(stack, name, phase);
    return delaysOf(stack, name, phase.count);
  };
  await delays('warming');
  const before = await delays('before');
  controlPlane.freeze();
  const [stopped] = await Promise.all([delays('stopped'), expect(alive()).rejects.toThrow()]);
  await controlPlane.kill();
  const [killed] = await Promise.all([delays('killed'), expect(alive()).rejects.toThrow()]);
  console.log([before, stopped, killed].map(delayLine).join('\n'));
  for (const { phase: when, median, p95 } of inject('assertTimes') ? [stopped, killed] : []) {
    expect(median, `median of those that came while it was ${when}`).toBeLessThanOrEqual(before.median + margin);
    expect(p95, `p95 of those that came while it was ${when}`).toBeLessThanOrEqual(before.p95 + margin);
  }
  // All of it while there was none: it is started only now.
  await controlPlane.start();
  expect((await alive()).status).toBe(200);
});
