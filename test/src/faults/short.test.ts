/** The short form of `npm run test:faults`: an instance, and then a whole host and the feeder at once. */
import { useTestStack } from '@autoflow/local-stack/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
