import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import type { RolloutActivities, RolloutPlan } from '@autoflow/topology';
import { ROLLOUT_WORKFLOW, RolloutUpdate, rolloutWorkflowId, type RolloutInput } from '@autoflow/workflows';
import { workflowBundle } from '@autoflow/workflows/bundle';
import { BY, startPlatform, untilRow, type Platform } from '../execution/platform.js';
import { begin, ended, PIPELINE, QUICK, register, tell, traffic, until, type Traffic } from './rig.js';

describe('a rollout under traffic', () => {
  const stack = useTestStack();
  let platform: Platform;
  let flowing: Traffic;
  let written: string;
  let fused: string;
  let crashing: string;
  let wrong: string;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    written = await register(platform, 'good', false);
    fused = await register(platform, 'good', true);
    crashing = await register(platform, 'crashing', true);
    wrong = await register(platform, 'wrong', true);
    await platform.startWorker(['workflows', 'functions', 'feeder'], { recordShare: 0.5 });
    flowing = traffic(platform, 100);
  });
  afterAll(async () => {
    await flowing?.stop();
    await platform?.stop();
  });
  const arms = async () => (await platform.store.arms.arms(PIPELINE))!;

  it('takes back what loses records, whatever becomes of its worker, and tells what it did; AutoFlow begins none that it may not', async () => {
    const first = await platform.startWorker(['control']);
    const refused = await ended(platform, await begin(platform, fused, {}, true));
    expect(refused).toMatchObject({ state: 'aborted', outcome: expect.stringContaining('Autonomy is suggest'), steps: [] });

    await platform.store.settings.change({ pipeline: PIPELINE, change: { autonomy: 'canary' }, by: BY });
    const id = await begin(platform, crashing, { steps: [40, 100] });
    await until(platform, id, ({ steps }) => steps.length === 1);
    expect(await arms()).toMatchObject({ candidate: { version: crashing, share: 3_800 }, control: { version: written, share: 3_800 } });
    await first.stop();
    await platform.startWorker(['control']);
    const row = await ended(platform, id);
    expect(row).toMatchObject({ state: 'rolled-back', outcome: expect.stringContaining('more records die') });
    expect(row.steps).toHaveLength(1);
    expect(row.harm!.dead).toBeGreaterThan(0);
    expect(row.harm!.records).toBeGreaterThan(row.harm!.dead);
    const { stable, candidate, control, holdout } = await arms();
    expect([stable.version, candidate, control, holdout]).toEqual([written, undefined, undefined, undefined]);
  }, 240_000);

  it('of a version whose outputs are others ends in shadow, before any traffic, and shows the records', async () => {
    const { release } = (await platform.store.definitions.version(PIPELINE, written))!;
    const recorded = () => platform.store.recordings.sample({ pipeline: PIPELINE, release, limit: 50 });
    while ((await recorded()).length < 20) await untilRow(platform, 'select pg_sleep(0.1)');
    const row = await ended(platform, await begin(platform, wrong, { shadowRecords: 50 }));
    expect(row).toMatchObject({
      state: 'rolled-back',
      outcome: expect.stringMatching(/^in shadow \d+ of \d+ records came out otherwise: order-\d+ in sum answers another value/),
      steps: [],
    });
    const { compared, different, differences } = row.shadow!;
    expect(different).toBeGreaterThan(compared / 2);
    expect(differences[0]).toMatchObject({ key: expect.stringMatching(/^order-\d+$/), function: 'sum', field: 'total' });
    expect(await arms()).not.toHaveProperty('candidate');
    const { rows } = await platform.sql.query('select count(*)::int as n from autoflow.batches where version = $1', [wrong]);
    expect(rows).toEqual([{ n: 0 }]);
  }, 240_000);

  it('that AutoFlow started stands still in a freeze, which is not counted as its time, and is taken back when autonomy is', async () => {
    const change = (change: Parameters<typeof platform.store.settings.change>[0]['change']) =>
      platform.store.settings.change({ pipeline: PIPELINE, change, by: BY });
    const id = await begin(platform, fused, { minimumRecords: 1_000_000 }, true);
    await until(platform, id, ({ steps }) => steps.length === 1);
    await change({ freezes: ['Mon 00:00 - Fri 00:00', 'Thu 00:00 - Tue 00:00'].map((window) => ({ window, timeZone: 'UTC' })) });
    await until(platform, id, ({ heldMs }) => heldMs > 0);
    // It has no time left, and the freeze goes on for an hour.
    await platform.sql.query(
      `update autoflow.rollouts set settings = (settings::jsonb || '{"maximumMs": 1}')::json, evaluated_at = evaluated_at - interval '1 hour' where id = $1`,
      [id],
    );
    await until(platform, id, ({ heldMs }) => heldMs > 3_600_000);
    await change({ freezes: [], autonomy: 'suggest' });
    expect(await ended(platform, id)).toMatchObject({ state: 'aborted', outcome: expect.stringContaining('Autonomy is suggest') });
  }, 240_000);

  it('is told to pause, to go on and to end; of what is over it refuses to hear', async () => {
    const id = await begin(platform, fused);
    await expect(tell(platform, 'other', 'pause')).rejects.toThrow();
    await until(platform, id, ({ steps }) => steps.length === 1);
    await tell(platform, id, 'pause');
    expect(await platform.store.rollouts.get(id)).toMatchObject({ paused: true, state: 'canary' });
    await tell(platform, id, 'resume');
    expect(await tell(platform, id, 'abort')).toBe('aborted');
    expect(await platform.store.rollouts.get(id)).toMatchObject({ state: 'aborted', outcome: 'told to abort' });
    expect(await arms()).not.toHaveProperty('candidate');
    await expect(tell(platform, id, 'pause')).rejects.toThrow();
    const other = await begin(platform, fused);
    await until(platform, other, ({ steps }) => steps.length === 1);
    expect(await tell(platform, other, 'rollBack')).toBe('rolled-back');
    expect((await platform.store.definitions.statuses(PIPELINE, fused)).at(-1)).toMatchObject({ status: 'rolled-back' });
    expect(await arms()).not.toHaveProperty('candidate');
  }, 240_000);

  it('is promoted when it is told to, and the version before stays as the holdout', async () => {
    const id = await begin(platform, fused);
    await until(platform, id, ({ steps }) => steps.length === 1);
    expect(await tell(platform, id, 'promote')).toBe('promoted');
    const after = await arms();
    expect(after).toMatchObject({ stable: { version: fused }, holdout: { version: written, share: 500 } });
    expect(after).not.toHaveProperty('candidate');
  }, 240_000);

  it('loses to a rollback by hand, at once', async () => {
    const id = await begin(platform, written);
    await until(platform, id, ({ steps }) => steps.length === 1);
    await platform.store.definitions.setStable({ pipeline: PIPELINE, version: fused, by: { ...BY, reason: 'month end' } });
    expect(await platform.store.rollouts.get(id)).toMatchObject({ state: 'superseded', outcome: 'test has moved the traffic: month end' });
    const now = await arms();
    expect([now.stable.version, now.candidate, now.control, now.holdout]).toEqual([
      ...[fused, undefined, { version: fused, share: 500 }],
      { version: written, share: 500 },
    ]);
    expect(await platform.client.workflow.getHandle(rolloutWorkflowId(PIPELINE)).result()).toBe('superseded');
    expect((await arms()).revision).toBe(now.revision);
  }, 240_000);

  it('whose canary cannot be measured is taken back, and not for the first failure', async () => {
    let tries = 0;
    const ends: unknown[] = [];
    const { outcome } = await played('unmeasurable', {
      evaluateRollout: () => {
        tries++;
        return Promise.reject(ApplicationFailure.create({ message: 'it took too long', nextRetryDelay: '1ms' }));
      },
      endRollout: (request) => {
        ends.push(request);
        return Promise.resolve(request.outcome);
      },
    });
    expect(outcome).toBe('aborted');
    expect(ends).toEqual([expect.objectContaining({ outcome: 'aborted', reason: 'could not be measured: it took too long' })]);
    expect(tries).toBeGreaterThan(5);
  }, 240_000);

  it('whose pools cannot be seen to be warm waits out an outage; where there is no time left it is aborted, and says why', async () => {
    let tries = 0;
    const unavailable = (nextRetryDelay: '1ms' | '1h') =>
      Promise.reject(ApplicationFailure.create({ message: 'the database is away', nextRetryDelay }));
    const fresh = () => Promise.resolve({ ...planned(), step: 0, state: 'starting' } as const);
    const { did } = await played('outage', {
      planRollout: fresh,
      warmRollout: () => (++tries < 12 ? unavailable('1ms') : Promise.resolve({ decision: 'advance', reason: 'warm' })),
      evaluateRollout: () => Promise.resolve({ decision: 'roll-back', reason: 'breached' }),
    });
    expect([tries, did.includes('stepRollout')]).toEqual([12, true]);
    const ends: unknown[] = [];
    const { outcome } = await played('no-time', {
      planRollout: fresh,
      warmRollout: () => unavailable('1h'),
      endRollout: (request) => {
        ends.push(request);
        return Promise.resolve(request.outcome);
      },
    });
    expect(outcome).toBe('aborted');
    expect(ends).toMatchObject([{ outcome: 'aborted', reason: 'its pools did not become warm: the database is away' }]);
  }, 240_000);

  it('held before its first step for longer than a run is not prepared again', async () => {
    const steps: string[] = [];
    const { outcome, did } = await played(
      'held',
      {
        planRollout: () => Promise.resolve({ ...planned(), settings: { ...QUICK, periodMs: 1 }, step: 0, state: 'warming' }),
        stepRollout: ({ step }) => Promise.resolve({ decision: steps.push(`step ${step}`) < 4 ? 'continue' : 'abort', reason: 'held' }),
      },
      { evaluationsPerRun: 1 },
    );
    expect([outcome, steps]).toEqual(['aborted', Array(4).fill('step 0')]);
    expect(did).toEqual(['planRollout', 'stepRollout', 'endRollout', 'chargeRollout']);
  }, 240_000);

  it('that begins behind another one goes through its own shadow and warm pools, though the one before had a run that needed neither', async () => {
    const order: string[] = [];
    const isNext = (rollout: string) => rollout === 'next';
    const { outcome } = await played(
      'behind',
      {
        planRollout: () => Promise.resolve({ ...planned(), settings: { ...QUICK, periodMs: 1 }, step: 0, state: 'warming' }),
        enterRollout: ({ rollout, phase }) => {
          if (isNext(rollout)) order.push(phase);
          return Promise.resolve({ decision: 'advance', reason: phase });
        },
        warmRollout: ({ rollout }) => Promise.resolve({ decision: 'advance', reason: isNext(rollout) ? `${order.push('warm')}` : 'warm' }),
        stepRollout: async ({ rollout }) => {
          order.push(rollout);
          if (isNext(rollout)) return { decision: 'abort', reason: 'seen' };
          if (order.length < 3) return { decision: 'continue', reason: 'held' };
          await platform.client.workflow.getHandle('behind').executeUpdate(RolloutUpdate.start, { args: [{ rollout: 'next' }] });
          return { decision: 'superseded', reason: 'by hand' };
        },
      },
      { evaluationsPerRun: 1 },
    );
    expect([outcome, order]).toEqual(['aborted', ['behind', 'behind', 'behind', 'warming', 'warm', 'next']]);
  }, 240_000);

  it('has no traffic before its pools are warm; it is looked at once a period, and what is breached is taken back at that look', async () => {
    let looks = 0;
    const { outcome, did } = await played('breached', {
      planRollout: () => Promise.resolve({ ...planned(), step: 0, state: 'starting' }),
      evaluateRollout: () => Promise.resolve({ decision: ++looks < 3 ? 'continue' : 'roll-back', reason: `look ${looks}` }),
    });
    expect(outcome).toBe('rolled-back');
    const period = `${QUICK.periodMs} ms`;
    expect(did).toEqual([
      ...['planRollout', 'enterRollout', 'warmRollout', 'stepRollout'],
      ...[period, 'evaluateRollout', period, 'evaluateRollout', period, 'evaluateRollout'],
      ...['endRollout', 'chargeRollout'],
    ]);
  }, 240_000);

  const planned = (): RolloutPlan => ({
    ...{ pipeline: PIPELINE, version: fused, baseline: written, settings: QUICK, step: 1, state: 'canary', paused: false },
  });

  /** The workflow alone, with activities that do as they are told: how it ended, and what it did and waited for, in order. */
  async function played(name: string, told: Partial<RolloutActivities>, input: Partial<RolloutInput> = {}) {
    const goesOn = () => Promise.resolve({ decision: 'advance', reason: 'go on' } as const);
    const activities: Partial<RolloutActivities> = {
      planRollout: () => Promise.resolve(planned()),
      enterRollout: goesOn,
      warmRollout: goesOn,
      stepRollout: goesOn,
      endRollout: ({ outcome }) => Promise.resolve(outcome),
      chargeRollout: () => Promise.resolve(),
      ...told,
    };
    const { address, namespace } = stack.temporal;
    const connection = await NativeConnection.connect({ address });
    try {
      const worker = await Worker.create({ connection, namespace, taskQueue: name, workflowBundle: await workflowBundle(), activities });
      const { workflow } = platform.client;
      const run = workflow.execute(ROLLOUT_WORKFLOW, { taskQueue: name, workflowId: name, args: [{ rollout: name, ...input }] });
      const outcome = await worker.runUntil(run);
      const { events = [] } = await workflow.getHandle(name).fetchHistory();
      const did = events!.flatMap(({ timerStartedEventAttributes: timer, activityTaskScheduledEventAttributes: activity }) => {
        if (activity) return [activity.activityType!.name!];
        return timer ? [`${Number(timer.startToFireTimeout!.seconds ?? 0) * 1_000 + (timer.startToFireTimeout!.nanos ?? 0) / 1e6} ms`] : [];
      });
      return { outcome, did };
    } finally {
      await connection.close();
    }
  }
});
