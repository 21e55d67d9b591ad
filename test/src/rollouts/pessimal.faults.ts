/** The whole of it on real traffic: minutes, and more on a machine that does other things meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import { BY, startPlatform, type Platform } from '../execution/platform.js';
import { begin, ended, PIPELINE, QUICK, register, traffic, until, type Traffic } from './rig.js';

const TIMEOUT_MS = 600_000;

describe('a rollout decides by what it sees', () => {
  const stack = useTestStack();
  let platform: Platform;
  let flowing: Traffic;
  const versions: { [name: string]: string } = {};
  beforeAll(async () => {
    platform = await startPlatform(stack);
    versions['written'] = await register(platform, 'good', false);
    versions['fused'] = await register(platform, 'good', true);
    versions['same'] = await register(platform, 'good', true, 620);
    for (const module of ['crashing', 'wrong', 'seldom', 'leaking', 'slow', 'tail'])
      versions[module] = await register(platform, module, true);
    await platform.startWorker();
    flowing = traffic(platform, 300);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await flowing?.stop();
    await platform?.stop();
  });
  const decisions = async (id: string) => (await platform.store.rollouts.evaluations(id, 2_000)).map(({ decision }) => decision);

  it(
    'promotes the better version, when AutoFlow may',
    async () => {
      await platform.store.settings.change({ pipeline: PIPELINE, change: { autonomy: 'canary' }, by: BY });
      const id = await begin(platform, versions['fused']!, { steps: [25, 50, 100], maximumMs: TIMEOUT_MS }, true);
      while (!(await decisions(id)).includes('await-approval')) await until(platform, id, ({ endedAt }) => endedAt === undefined);
      expect((await platform.store.arms.arms(PIPELINE))!.stable.version).toBe(versions['written']);
      await platform.store.settings.change({ pipeline: PIPELINE, change: { autonomy: 'auto' }, by: BY });
      const row = await ended(platform, id);
      expect(row).toMatchObject({ state: 'promoted', outcome: expect.stringMatching(/^cost is lower by/), harm: { dead: 0 } });
      expect(row.steps.map(({ percent }) => percent)).toEqual([25, 50, 100]);
      expect((row.judgement as { paired: { gain: { low: number } } }).paired.gain.low).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'never promotes a version without a change',
    async () => {
      const row = await ended(platform, await begin(platform, versions['same']!, { maximumMs: 30_000 }));
      expect(row).toMatchObject({ state: 'aborted', outcome: expect.stringMatching(/^not decided in the time it had: /) });
      expect(await decisions(row.id)).not.toContain('promote');
    },
    TIMEOUT_MS,
  );

  it.each<[string, RegExp, Partial<RolloutSettings['margins']>?]>([
    ['crashing', /more records die/],
    ['wrong', /it filters other records/],
    ['seldom', /more records die/, { dead: 0.005 }],
    ['leaking', /more records are dispatched again|cost is higher|p9[59] is above/, { errors: 0.005 }],
    ['slow', /p9[59] is above/, { p95: 1 }],
    ['tail', /p9[59] is above/, { p95: 1 }],
  ])(
    'takes back a version that is %s at the first of the usual steps, 5 %%, and measures the harm',
    async (name, reason, margins) => {
      const { steps, minimumRecords } = ROLLOUT_DEFAULTS;
      const settings = { steps, minimumRecords, maximumMs: TIMEOUT_MS, margins: { ...QUICK.margins, ...margins } };
      const row = await ended(platform, await begin(platform, versions[name]!, settings));
      const { records, share, dead, costUsd, extraUsd } = row.harm!;
      const points = (100 * share).toFixed(1);
      console.log(
        `${name}: ${row.outcome}; ${records} records (${points} % of the traffic), ${dead} dead, $${costUsd}, $${extraUsd} beyond the usual`,
      );
      expect(row).toMatchObject({ state: 'rolled-back', outcome: expect.stringMatching(reason) });
      expect(row.steps).toHaveLength(1);
      expect(row.harm!.records).toBeGreaterThan(0);
      // No more than the step has, but for the luck of the keys.
      expect(share).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95 * share) / records));
      expect((await platform.store.arms.arms(PIPELINE))!.stable.version).toBe(versions['fused']);
    },
    TIMEOUT_MS,
  );
});
