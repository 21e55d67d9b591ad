/** `npm run test:faults`: real signals to every part, and to pairs, while records flow. */
import { setTimeout as delay } from 'node:timers/promises';
import { LEASE_MS } from '@autoflow/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flow, table, type Flow, type Recovery } from './flow.js';
import { startFaultyServers, type FaultyServers, type ServerName } from './servers.js';
import { startFaultyStack, type FaultyStack } from './stack.js';

const WORKERS = [
  ['workflows', 'workflows'],
  ['control', 'control'],
  ['functions-1', 'functions'],
  ['functions-2', 'functions'],
  ['feeder-1', 'feeder'],
  ['feeder-2', 'feeder'],
] as const;
/** Invocations under way do not outlive them, or what they answer does not arrive. */
const CARRIES: readonly string[] = ['functions-1', 'functions-2', 'temporal', 'postgres'];
const SERVERS: readonly string[] = ['temporal', 'postgres'] satisfies ServerName[];

let servers: FaultyServers;
let stack: FaultyStack;
const recoveries: Recovery[] = [];

beforeAll(async () => {
  servers = await startFaultyServers();
  stack = await startFaultyStack(servers, WORKERS);
});
afterAll(async () => {
  if (recoveries.length > 0) console.log(table(recoveries));
  await stack?.stop();
  await servers?.stop();
});

const through = async (what: Flow) => {
  const recovery = await flow(stack, what);
  recoveries.push(recovery);
};

/** All of them gone before the first is started again; servers first. */
async function restart(...names: readonly string[]): Promise<void> {
  const isServer = (name: string): name is ServerName => SERVERS.includes(name);
  await Promise.all(names.map((name) => (isServer(name) ? servers.kill(name) : stack.process(name).kill())));
  await Promise.all(names.filter(isServer).map((name) => servers.start(name)));
  await Promise.all(names.filter((name) => !isServer(name)).map((name) => stack.process(name).start()));
}

test('every instance of a host is killed', () =>
  through({ name: 'instances', reruns: true, fault: async () => expect(stack.process('functions-1').killChildren()).toBeGreaterThan(0) }));

test.each([
  ['functions-1'],
  ['workflows'],
  ['control'],
  ['feeder-1'],
  ['ingest'],
  ['control-plane'],
  ['temporal'],
  ['postgres'],
  ['feeder-1', 'functions-1'],
  ['workflows', 'functions-2'],
  ['ingest', 'postgres'],
  ['temporal', 'postgres'],
  ['temporal', 'feeder-2'],
])('%s %s is killed and started again', { timeout: 180_000 }, (...names: readonly string[]) => {
  const those = names.filter((name) => typeof name === 'string');
  return through({
    name: `kill ${those.join(' + ')}`,
    reruns: those.some((name) => CARRIES.includes(name)),
    fault: () => restart(...those),
  });
});

test.each(['feeder-1', 'functions-1'])('%s is frozen past its lease, and goes on', { timeout: 180_000 }, (name) =>
  through({
    name: `freeze ${name}`,
    reruns: CARRIES.includes(name),
    async fault() {
      stack.process(name).freeze();
      await delay(LEASE_MS * 2);
      stack.process(name).thaw();
    },
  }),
);

test('a pool of one is filled by a burst', { timeout: 180_000 }, async () => {
  await stack.narrow(true);
  try {
    await through({ name: 'full pool', records: 300, burst: true, fault: async () => undefined });
  } finally {
    await stack.narrow(false);
  }
});

test('the sink is gone for a while', { timeout: 180_000 }, () =>
  through({
    name: 'sink gone',
    mayDie: true,
    reruns: true,
    async fault() {
      await stack.platform.sql.query('alter table sink rename to sink_gone');
      await delay(2_000);
      await stack.platform.sql.query('alter table sink_gone rename to sink');
    },
  }),
);

test('records throw, end their process, and take all memory', { timeout: 180_000 }, () =>
  through({ name: 'poison', reruns: true, poison: ['fail', 'exit', 'hoard-all', 'exit'], fault: async () => undefined }),
);

test('everything is killed and started again', { timeout: 240_000 }, () =>
  through({
    name: 'kill everything',
    reruns: true,
    fault: () => restart('temporal', 'postgres', 'ingest', 'control-plane', ...WORKERS.map(([name]) => name)),
  }),
);
