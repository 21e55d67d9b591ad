import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '@autoflow/topology/autonomy';
import { by, registerPipeline, useTestStore } from './testing/fixtures.js';

const context = useTestStore();

test('settings are changed part by part, with revision and audit', async () => {
  await registerPipeline(context.store, 'shop');
  const { settings, access } = context.store;
  expect(await settings.get('shop')).toEqual({ pipeline: 'shop', revision: 0, ...DEFAULT_SETTINGS });
  const freezes = [{ window: 'Fri 16:00 - Mon 08:00', timeZone: 'Europe/Berlin' }];
  await settings.change({ pipeline: 'shop', change: { autonomy: 'auto', freezes }, revision: 0, by });
  const pinned = await settings.change({ pipeline: 'shop', change: { pinned: 'v1', spendCapUsd: 0.5 }, revision: 1, by });
  expect(pinned).toMatchObject({ revision: 2, autonomy: 'auto', freezes, pinned: 'v1', spendCapUsd: 0.5, actor: 'tester' });
  const freed = await settings.change({ pipeline: 'shop', change: { pinned: null, freezes: null }, by });
  expect([freed.revision, freed.pinned, freed.freezes, freed.autonomy]).toEqual([3, undefined, [], 'auto']);
  expect(
    (await access.audit({ pipeline: 'shop', action: 'settings', limit: 9 })).map(({ before, after }) => [before, after])[0],
  ).toMatchObject([
    { revision: 2, pinned: 'v1' },
    { revision: 3, autonomy: 'auto' },
  ]);
});

test('of two changes of the same revision one is made, also of the very first', async () => {
  await registerPipeline(context.store, 'race');
  const change = () => context.store.settings.change({ pipeline: 'race', change: { autonomy: 'off' }, revision: 0, by });
  const ended = await Promise.allSettled([change(), change(), change()]);
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  await expect(change()).rejects.toMatchObject({ code: 'STALE_REVISION' });
});

test('what is not there is neither pinned nor set', async () => {
  const { settings } = context.store;
  expect(await settings.get('nowhere')).toBeUndefined();
  await expect(settings.change({ pipeline: 'nowhere', change: {}, by })).rejects.toMatchObject({ details: { kind: 'pipeline' } });
  await expect(settings.change({ pipeline: 'race', change: { pinned: 'v9' }, by })).rejects.toMatchObject({ details: { kind: 'version' } });
});

test('no allocation is set outside a clamp, whoever sets it', async () => {
  const { definitions } = context.store;
  const { stages, revision } = (await definitions.allocation('race', 'v1'))!;
  const clamps = { parse: { concurrency: { min: 1, max: 2 } } };
  const clamped = await definitions.setAllocation({ pipeline: 'race', version: 'v1', stages, clamps, revision, by });
  expect(clamped.clamps).toEqual(clamps);
  const more = { ...stages, parse: { memoryMb: 128, concurrency: 3 } };
  await expect(definitions.setAllocation({ pipeline: 'race', version: 'v1', stages: more, by })).rejects.toMatchObject({
    code: 'OUTSIDE_CLAMP',
    details: { stage: 'parse' },
  });
  await definitions.setAllocation({ pipeline: 'race', version: 'v1', stages: more, clamps: {}, by });
  expect((await definitions.allocation('race', 'v1'))!.stages).toEqual(more);
});
