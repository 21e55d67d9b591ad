import { expect, it } from 'vitest';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import type { Versions } from '../versions.js';
import { executionActivities } from './execution-activities.js';

const context = useTwoReleases();

const admit = (runId: string, versions: Versions) =>
  executionActivities({ store: context.store, batches: context.batches, versions, indexed: false }).admit({
    pipeline: PIPELINE,
    executionId: runId,
    runId,
    records: [{ id: runId, town: 'Delft' }],
  });

it('starts nothing with the version from before a rollback, though it was resolved before', async () => {
  await context.setStable('v2');
  const admitted = await admit('rolled-back', context.movingPointer(1, 'v1'));
  expect(admitted.version).toBe('v1');
  expect(await context.store.ledger.batch('rolled-back')).toMatchObject({ version: 'v1', release: admitted.release, ref: admitted.batch });
  expect((await context.batches.read(admitted.batch)).map(({ fields }) => fields)).toEqual([{ id: 'rolled-back' }]);
});

it('again, it answers what was committed the first time, wherever the pointer went', async () => {
  await context.setStable('v2');
  const first = await admit('again', context.versions);
  await context.setStable('v1');
  expect(await admit('again', context.versions)).toEqual(first);
});
