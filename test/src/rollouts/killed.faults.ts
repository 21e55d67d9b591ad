/** What leads a rollout dies in the middle of it: control plane, control worker, function host, database; it goes on where it was. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewRollout } from '@autoflow/client';
import { rolloutWorkflowId } from '@autoflow/workflows';
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
/** Longer than a few attempts take. */
const AWAY_MS = 20_000;
const ENDLESS = { steps: [25, 50], minimumRecords: 40, maximumMs: TIMEOUT_MS, holdoutPercent: 5, margins: QUICK.margins, skipShadow: true };

let servers: FaultyServers;
let stack: FaultyStack;
let flowing: Traffic;
let written: string;
let same: string;
let crashing: string;
beforeAll(async () => {
  servers = await startFaultyServers();
  stack = await startFaultyStack(servers, WORKERS, { AUTOFLOW_RECORD_SHARE: '0.5' });
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

const start = (version: string, periodMs: number, asked: Partial<NewRollout> = {}) =>
  stack.api.rollouts.start(PIPELINE, { version, ...ENDLESS, ...asked, periodMs, warmupMs: 1_000, reason: 'faults' });
const kill = async (name: string) => {
  await stack.process(name).kill();
  await stack.process(name).start();
};
/** The database may be what is down. */
const reaches = (id: string, is: (row: { steps: number; evaluations: number; state: string; compared?: number }) => boolean) =>
  expect
    .poll(
      async () => {
        const row = await stack.platform.store.rollouts.get(id).catch(() => undefined);
        const [last] = (await stack.platform.store.rollouts.evaluations(id, 1).catch(() => undefined)) ?? [];
        if (row === undefined) return 'the database does not answer';
        const { state, outcome, shadow } = row;
        return (
          is({ steps: row.steps.length, evaluations: last?.number ?? 0, state, ...shadow }) ||
          `${state} ${outcome}, evaluation ${last?.number}`
        );
      },
      { timeout: 120_000, interval: 100 },
    )
    .toBe(true);
/** An activity of the rollout is at work, or waits to be. */
const isDoing = (activity: string) =>
  expect
    .poll(
      async () => {
        const { raw } = await stack.platform.client.workflow.getHandle(rolloutWorkflowId(PIPELINE)).describe();
        return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
      },
      { timeout: 60_000, interval: 20 },
    )
    .toContain(activity);
const evaluated = async (id: string) => (await stack.platform.store.rollouts.evaluations(id, 1))[0]?.number ?? 0;

test(
  'one in shadow, or whose pools are not warm yet, goes on where it was, however long the database is away',
  async () => {
    const { release } = (await stack.platform.store.definitions.version(PIPELINE, written))!;
    const recorded = () => stack.platform.store.recordings.sample({ pipeline: PIPELINE, release, limit: 40 });
    await expect.poll(async () => (await recorded()).length, { timeout: 120_000 }).toBe(40);
    // Without function hosts the shadow waits, and so do the pools.
    await stack.process('functions').kill();
    const { id } = await start(same, 1_000, { skipShadow: false, shadowRecords: 40 });
    await isDoing('shadow');
    await stack.process('functions').start();
    await restart('postgres', AWAY_MS);
    await Promise.all([kill('control'), kill('functions')]);
    await reaches(id, ({ compared = 0, state }) => compared > 0 && (state === 'shadow' || state === 'warming' || state === 'canary'));
    await reaches(id, ({ steps }) => steps === 1);
    await stack.api.rollouts.abort(PIPELINE, id);

    await stack.process('functions').kill();
    const { id: cold } = await start(same, 1_000);
    await isDoing('warmRollout');
    await restart('postgres', AWAY_MS);
    await kill('control');
    await reaches(cold, ({ state }) => state === 'warming');
    await stack.process('functions').start();
    await reaches(cold, ({ steps }) => steps === 1);
    await stack.api.rollouts.abort(PIPELINE, cold);
  },
  TIMEOUT_MS,
);

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
    await expect.poll(async () => (await stack.api.rollouts.show(PIPELINE, id)).harm?.dead, { timeout: 120_000 }).toBeGreaterThan(0);
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

async function restart(name: 'postgres' | 'temporal', awayMs = 0): Promise<void> {
  await servers.kill(name);
  await delay(awayMs);
  await servers.start(name);
}
