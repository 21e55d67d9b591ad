import { describe, expect, test } from 'vitest';
import { StaleRevisionError } from './errors.js';
import { allocation, by, envelope, registerPipeline, specOf, topology, useTestStore } from './testing/fixtures.js';

const other = (n: number) => ({ ...topology, batch: { records: n, bytes: 1024 } });

describe('definitions', () => {
  const context = useTestStore();
  const definitions = () => context.store.definitions;
  const register = (pipeline: string, records: number) =>
    definitions().registerVersion({
      pipeline,
      hash: `h${records}`,
      release: 'r1',
      topology: other(records),
      envelope,
      allocation,
      by,
      parent: 'v1',
      note: 'bigger batches',
    });

  test('the first release makes version v1 and points to it; again, nothing changes', async () => {
    const request = { release: { pipeline: 'first', hash: 'r1', spec: specOf('first') }, topology, envelope, allocation, by };
    const { version, created } = await definitions().registerRelease(request);
    expect(created).toBe(true);
    expect(version).toMatchObject({ pipeline: 'first', name: 'v1', release: 'r1', topology, envelope, author: 'tester' });
    expect(version).not.toHaveProperty('parent');
    expect(await definitions().pipeline('first')).toMatchObject({ stable: { version: 'v1', release: 'r1', revision: 1 } });
    expect(await definitions().allocation('first', 'v1')).toMatchObject({
      revision: 1,
      stages: allocation,
      actor: 'tester',
      reason: 'because',
    });
    expect((await definitions().release('first', 'r1'))?.spec).toEqual(specOf('first'));

    expect(await definitions().registerRelease(request)).toEqual({ version, created: false });
    expect(await definitions().versions('first')).toEqual([version]);
    expect(await definitions().releases('first')).toHaveLength(1);
  });

  test('a further release is a version of its own and leaves the pointer alone', async () => {
    await registerPipeline(context.store, 'further');
    const { version } = await definitions().registerRelease({
      release: { pipeline: 'further', hash: 'r2', spec: specOf('further') },
      topology,
      envelope,
      allocation,
      by,
    });
    expect(version).toMatchObject({ name: 'v2', release: 'r2' });
    expect(await definitions().pipeline('further')).toMatchObject({ stable: { version: 'v1', release: 'r1', revision: 1 } });
  });

  test('a pipeline that many register at once is made once', async () => {
    const all = await Promise.all(
      Array.from({ length: 4 }, () =>
        definitions().registerRelease({
          release: { pipeline: 'raced', hash: 'r1', spec: specOf('raced') },
          topology,
          envelope,
          allocation,
          by,
        }),
      ),
    );
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(all.map(({ version }) => version.name)).toEqual(['v1', 'v1', 'v1', 'v1']);
  });

  test('versions that are registered at once get names of their own; the same one gets one name', async () => {
    await registerPipeline(context.store, 'counted');
    const all = await Promise.all([2, 3, 4, 5, 2].map((n) => register('counted', n)));
    expect(new Set(all.map(({ version }) => version.name))).toEqual(new Set(['v2', 'v3', 'v4', 'v5']));
    expect(all.filter(({ created }) => created)).toHaveLength(4);
    expect((await definitions().versions('counted')).map(({ name }) => name)).toEqual(['v1', 'v2', 'v3', 'v4', 'v5']);
  });

  test('of two rollbacks at the same time exactly one wins; the other learns the revision', async () => {
    await registerPipeline(context.store, 'rolled');
    await register('rolled', 2);
    await register('rolled', 3);
    const results = await Promise.allSettled(
      ['v2', 'v3'].map((version) => definitions().setStable({ pipeline: 'rolled', version, revision: 1, by })),
    );
    const [lost] = results.filter((result) => result.status === 'rejected');
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(lost?.reason).toBeInstanceOf(StaleRevisionError);
    expect(lost?.reason).toMatchObject({ code: 'STALE_REVISION', retryable: false, found: 1, current: 2 });
    expect(
      (await context.store.access.audit({ pipeline: 'rolled', limit: 10 })).filter(({ action }) => action === 'stable.set'),
    ).toHaveLength(1);
  });

  test('without a condition the pointer is set, with before and after in the audit log', async () => {
    await registerPipeline(context.store, 'set');
    await register('set', 2);
    const row = await definitions().setStable({ pipeline: 'set', version: 'v2', by: { ...by, requestId: 'q1' } });
    expect(row.stable).toEqual({ version: 'v2', release: 'r1', revision: 2 });
    const [entry] = await context.store.access.audit({ pipeline: 'set', limit: 1 });
    expect(entry).toMatchObject({
      action: 'stable.set',
      actor: 'tester',
      reason: 'because',
      requestId: 'q1',
      before: { version: 'v1', revision: 1 },
      after: { version: 'v2', revision: 2 },
    });
  });

  test('allocations have a revision of their own', async () => {
    await registerPipeline(context.store, 'allocated');
    const stages = { ...allocation, parse: { memoryMb: 256, concurrency: 5 } };
    const change = { pipeline: 'allocated', version: 'v1', stages, revision: 1, by };
    expect(await definitions().setAllocation(change)).toMatchObject({ revision: 2, stages });
    await expect(definitions().setAllocation(change)).rejects.toMatchObject({ code: 'STALE_REVISION', found: 1, current: 2 });
  });

  test('what is not there is said to be missing, and changes nothing', async () => {
    await registerPipeline(context.store, 'there');
    const missing = { code: 'NOT_FOUND', retryable: false };
    await expect(definitions().setStable({ pipeline: 'nowhere', version: 'v1', by })).rejects.toMatchObject({
      ...missing,
      details: { kind: 'pipeline' },
    });
    await expect(definitions().setStable({ pipeline: 'there', version: 'v9', by })).rejects.toMatchObject({
      ...missing,
      details: { kind: 'version' },
    });
    await expect(definitions().setAllocation({ pipeline: 'there', version: 'v9', stages: allocation, by })).rejects.toMatchObject(missing);
    await expect(register('nowhere', 2)).rejects.toMatchObject(missing);
    await expect(
      definitions().registerVersion({ pipeline: 'there', hash: 'h', release: 'r9', topology, envelope, allocation, by }),
    ).rejects.toMatchObject({ ...missing, details: { kind: 'release' } });
    expect(await definitions().pipeline('nowhere')).toBeUndefined();
    expect(await definitions().pipeline('nul\0')).toBeUndefined();
    expect(await definitions().version('there', 'v9')).toBeUndefined();
    expect(await definitions().release('there', 'r9')).toBeUndefined();
    expect((await definitions().pipeline('there'))?.stable.revision).toBe(1);
  });
});
