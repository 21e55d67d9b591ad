/** What leads a rollout dies in the middle of it: control plane, control worker, function host, database; it goes on where it was. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFaultyServers, type FaultyServers } from '../faults/servers.js';
import { startFaultyStack, type FaultyStack } from '../faults/stack.js';
import { PIPELINE, QUICK, register, traffic, type Traffic } from './rig.js';

const WORKERS = [
  ['workflows', 'workflows'],
  ['control', 'control'],
  ['functions', 'functions'],
  ['feeder', 'feeder'],
] as const;
const TIMEOUT_MS = 600_000;
const ENDLESS = { steps: [25, 50], minimumRecords: 40, maximumMs: TIMEOUT_MS, holdoutPercent: 5, margins: QUICK.margins, skipShadow: true };

let servers: FaultyServers;
let stack: FaultyStack;
let flowing: Traffic;
let written: string;
let same: string;
let crashing: string;
beforeAll(async () => {
  servers = await startFaultyServers();
  stack = await startFaultyStack(servers, WORKERS);
  written = await register(stack.platform, 'good', false);
  same = await register(stack.platform, 'good', false, 620);
  crashing = await register(stack.platform, 'crashing', true);
  flowing = traffic(stack.platform, 60, { insists: true });
}, TIMEOUT_MS);
afterAll(async () => {
  await flowing?.stop();
  await stack?.stop();
  await servers?.stop();
});

const start = (version: string, periodMs: number) =>
  stack.api.rollouts.start(PIPELINE, { version, ...ENDLESS, periodMs, warmupMs: 1_000, reason: 'faults' });
const kill = async (name: string) => {
  await stack.process(name).kill();
  await stack.process(name).start();
};
/** The database may be what is down. */
const reaches = (id: string, is: (row: { steps: number; evaluations: number; state: string }) => boolean) =>
  expect
    .poll(
      async () => {
        const row = await stack.platform.store.rollouts.get(id).catch(() => undefined);
        const [last] = (await stack.platform.store.rollouts.evaluations(id, 1).catch(() => undefined)) ?? [];
        if (row === undefined) return 'the database does not answer';
        const { state, outcome } = row;
        return is({ steps: row.steps.length, evaluations: last?.number ?? 0, state }) || `${state} ${outcome}, evaluation ${last?.number}`;
      },
      { timeout: 120_000, interval: 100 },
    )
    .toBe(true);
const evaluated = async (id: string) => (await stack.platform.store.rollouts.evaluations(id, 1))[0]?.number ?? 0;

test(
  'one of a version without a change, which nothing decides, goes on whatever is killed, and ends as it is told',
  async () => {
    const { id } = await start(same, 1_000);
    await reaches(id, ({ steps }) => steps === 1);
    await stack.process('control-plane').kill();
    await reaches(id, ({ steps }) => steps === 2);
    await stack.process('control-plane').start();
    for (const fault of [() => kill('control'), () => kill('functions'), () => restart('postgres'), () => restart('temporal')]) {
      const before = await evaluated(id);
      await fault();
      await reaches(id, ({ evaluations, state }) => state === 'canary' && evaluations > before + 1);
    }
    expect(await stack.api.arms.show(PIPELINE)).toMatchObject({ stable: { version: written }, candidate: { version: same } });
    expect(await stack.api.rollouts.promote(PIPELINE, id, 'seen enough')).toMatchObject({ state: 'promoted' });
    const arms = await stack.api.arms.show(PIPELINE);
    expect(arms).toMatchObject({ stable: { version: same }, holdout: { version: written } });
    expect(arms).not.toHaveProperty('candidate');
  },
  TIMEOUT_MS,
);

test(
  'a candidate that loses records is taken back though the worker that watches it and the control plane were killed',
  async () => {
    const { id } = await start(crashing, 5_000);
    await reaches(id, ({ steps }) => steps === 1);
    await Promise.all([kill('control'), stack.process('control-plane').kill()]);
    await reaches(id, ({ state }) => state === 'rolled-back');
    await stack.process('control-plane').start();
    await expect.poll(async () => (await stack.api.rollouts.show(PIPELINE, id)).harm?.dead, { timeout: 60_000 }).toBeGreaterThan(0);
    const { stable, candidate } = await stack.api.arms.show(PIPELINE);
    expect([stable.version, candidate]).toEqual([same, undefined]);
  },
  TIMEOUT_MS,
);

test(
  'every record that was accepted has its one outcome',
  async () => {
    await flowing.stop();
    const { sql } = stack.platform;
    await expect
      .poll(
        async () =>
          (await sql.query(`select count(*)::int as n from autoflow.records where pipeline = $1 and state <> 'running'`, [PIPELINE]))
            .rows[0],
        { timeout: 120_000 },
      )
      .toEqual({ n: flowing.accepted() });
    const letters = await sql.query('select distinct version, code from autoflow.dead_letters where pipeline = $1', [PIPELINE]);
    expect(letters.rows).toEqual([{ version: crashing, code: 'CRASHED' }]);
  },
  TIMEOUT_MS,
);

async function restart(name: 'postgres' | 'temporal'): Promise<void> {
  await servers.kill(name);
  await servers.start(name);
}
