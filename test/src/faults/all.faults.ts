/** `npm run test:faults`: real signals to every part, and to pairs, while records flow. */
import { setTimeout as delay } from 'node:timers/promises';
import { LEASE_MS } from '@autoflow/store';
import { CLAIM_LEASE_MS } from '@autoflow/worker';
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
/** Without them nothing is accepted. */
const TAKE_IN: readonly string[] = ['ingest', 'postgres'];
/** Longer than a worker's lease lasts, and than a feeder may take for a claim. */
const FROZEN_MS = Math.max(2 * LEASE_MS, CLAIM_LEASE_MS + 1_000);
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

const isServer = (name: string): name is ServerName => SERVERS.includes(name);

/** All of them gone before the first is started again; servers first. */
async function restart(...names: readonly string[]): Promise<void> {
  await Promise.all(names.map(kill));
  await Promise.all(names.filter(isServer).map((name) => servers.start(name)));
  await Promise.all(names.filter((name) => !isServer(name)).map((name) => stack.process(name).start()));
}

async function kill(name: string): Promise<void> {
  if (!isServer(name)) return expect(await stack.process(name).kill(), `${name} ran until it was killed`).toBe(true);
  await servers.kill(name);
  const { sql, client } = stack.platform;
  const ask = () => (name === 'postgres' ? sql.query('select 1') : client.withDeadline(Date.now() + 500, () => client.workflow.count()));
  await expect
    .poll(() =>
      ask().then(
        () => `${name} answers`,
        () => 'nobody answers',
      ),
    )
    .toBe('nobody answers');
}

/** The fleet has taken each of these for gone: whoever has the name now is another process, or the same one that had to join again. */
async function lost(names: readonly string[], since: number): Promise<void> {
  const { rows } = await stack.platform.sql.query<{ host: string }>(
    `select distinct data ->> 'host' as host from autoflow.events where type = 'host.lost' and at > to_timestamp($1 / 1000.0)`,
    [since],
  );
  expect(rows.map(({ host }) => host)).toEqual(expect.arrayContaining([...names]));
}

interface Invocations {
  readonly all: number;
  /** For longer than they ran. */
  readonly waited: number;
  /** With records to be tried again. */
  readonly retried: number;
  readonly outOfMemory: number;
}

/** Invocations that began since then. They are written a moment after they end. */
async function invocations(since: number): Promise<Invocations> {
  const { rows } = await stack.platform.sql.query<Invocations>(
    `select count(*)::int as all, count(*) filter (where queue_ms + gate_ms > duration_ms)::int as waited,
            count(*) filter (where retried > 0)::int as retried, count(*) filter (where outcome = 'out-of-memory')::int as "outOfMemory"
       from autoflow.invocations where started_at > to_timestamp($1 / 1000.0)`,
    [since],
  );
  return rows[0]!;
}

test('every instance of a host is killed', () =>
  through({ name: 'instances', reruns: true, fault: async () => expect(stack.process('functions-1').killChildren()).toBeGreaterThan(0) }));

test.each(
  [
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
  ].map((names) => [names.join(' and '), names] as const),
)('%s: killed and started again', { timeout: 180_000 }, (_, names) =>
  through({
    name: `kill ${names.join(' + ')}`,
    reruns: names.some((name) => CARRIES.includes(name)),
    refuses: names.some((name) => TAKE_IN.includes(name)),
    fault: () => restart(...names),
    bit: (since) =>
      lost(
        WORKERS.map(([name]) => name).filter((name) => names.includes(name)),
        since,
      ),
  }),
);

test.each(['feeder-1', 'functions-1'])('%s is frozen past its lease, and goes on', { timeout: 180_000 }, (name) =>
  through({
    name: `freeze ${name}`,
    reruns: CARRIES.includes(name),
    async fault() {
      stack.process(name).freeze();
      await delay(FROZEN_MS);
      stack.process(name).thaw();
    },
    bit: (since) => lost([name], since),
  }),
);

test('a pool of one is filled by a burst', { timeout: 180_000 }, async () => {
  await stack.narrow(true);
  try {
    await through({
      name: 'full pool',
      records: 300,
      burst: true,
      fault: async () => undefined,
      bit: (since) =>
        expect
          .poll(async () => {
            const { all, waited } = await invocations(since);
            return waited / all;
          })
          .toBeGreaterThan(0.5),
    });
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
    bit: (since) => expect.poll(async () => (await invocations(since)).retried).toBeGreaterThan(0),
  }),
);

test('records throw, end their process, and take all memory', { timeout: 180_000 }, () =>
  through({
    name: 'poison',
    reruns: true,
    poison: ['fail', 'exit', 'hoard-all', 'exit'],
    fault: async () => undefined,
    async bit(since) {
      const { rows } = await stack.platform.sql.query<{ code: string }>(
        `select code from autoflow.dead_letters where key similar to 'poison/(fail|exit)-%' order by key`,
      );
      expect(rows.map(({ code }) => code)).toEqual(['InstanceDied', 'InstanceDied', 'TOLD_TO_FAIL']);
      // To fill the largest size may take longer than the function may.
      await expect.poll(async () => (await invocations(since)).outOfMemory).toBeGreaterThan(0);
    },
  }),
);

test('everything is killed and started again', { timeout: 240_000 }, () =>
  through({
    name: 'kill everything',
    reruns: true,
    refuses: true,
    fault: () => restart('temporal', 'postgres', 'ingest', 'control-plane', ...WORKERS.map(([name]) => name)),
    bit: (since) =>
      lost(
        WORKERS.map(([name]) => name),
        since,
      ),
  }),
);
