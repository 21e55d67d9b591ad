import { expect, it } from 'vitest';
import { recordDigest } from '@autoflow/store';
import type { Fields } from '@autoflow/pipeline';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import type { Versions } from '../versions.js';
import { executionActivities } from './execution-activities.js';

const context = useTwoReleases();

const admit = (runId: string, versions: Versions, record: Fields = { id: runId, town: 'Delft' }) =>
  executionActivities({ store: context.store, batches: context.batches, versions, indexed: false }).admit({
    pipeline: PIPELINE,
    executionId: runId,
    runId,
    records: [record],
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

it('knows by its content what it started, also what it does not declare, when that comes through the inbox', async () => {
  const send = async (record: Fields) => {
    const sent = { key: 'twice', record, digest: recordDigest(record), bytes: 1 };
    return (await context.store.inbox.accept({ pipeline: PIPELINE, scope: 'live', records: [sent] }))[0]?.state;
  };
  const first = { town: 'Delft', id: 'twice', note: 'first' };
  const second = { ...first, note: 'second' };
  await admit('direct-1', context.versions, first);
  expect([await send(first), await send(second)]).toEqual(['known', 'conflict']);
  await admit('direct-2', context.versions, second);
  expect([await send(first), await send(second)]).toEqual(['conflict', 'known']);
});

it('refuses what JSON cannot carry, though no release declares it', async () => {
  const record = JSON.parse('{"id":"endless","town":"Delft","junk":1e999}') as Fields;
  await expect(admit('endless', context.versions, record)).rejects.toMatchObject({ type: 'INVALID_RECORD', nonRetryable: true });
});
