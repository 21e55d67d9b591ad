import { mkdir, readdir, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordState } from '@autoflow/pipeline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordsOf, useTestStore } from '../testing/fixtures.js';
import type { BatchStore, BatchStoreSettings } from './contract.js';
import { openBatchStore } from './index.js';

const where = { pipeline: 'orders', batchId: 'orders/live/1', label: 'admitted' };
const NONE: ReadonlySet<string> = new Set();

describe.each(['file', 'postgres'] as const)('batch store, %s driver', (driver) => {
  const context = useTestStore();
  const settings = (): BatchStoreSettings =>
    driver === 'file' ? { driver, folder: join(context.stack.folder, 'batches') } : { driver, connectionString: context.stack.databaseUrl };
  let store: BatchStore;
  beforeAll(() => {
    store = openBatchStore(settings());
  });
  afterAll(() => store.close());

  test('what is written is read, by another process too', async () => {
    const records: RecordState[] = [
      ...recordsOf(['a', 'line\nfeed', 'ü💶']),
      { index: 3, key: 'f', arrivedAt: 'x', fields: { nested: [{ deep: null }] }, filtered: { by: 'f', reason: 'no' } },
      {
        index: 4,
        key: 'd',
        arrivedAt: 'x',
        fields: {},
        children: { lines: [{ fields: { n: 1 }, droppedBy: ['g'] }] },
        death: { in: 'p', code: 'C', message: 'm' },
      },
    ];
    const ref = await store.write(where, records);
    expect(ref.counts).toEqual({ records: 5, live: 3, filtered: 1, dying: 1 });
    expect(ref.bytes).toBe(Buffer.byteLength(records.map((record) => `${JSON.stringify(record)}\n`).join('')));
    expect(await store.read(ref)).toEqual(records);
    const other = openBatchStore(JSON.parse(JSON.stringify(settings())) as BatchStoreSettings);
    expect(await other.read(ref)).toEqual(records);
    await other.close();
  });

  test('a batch without records is there too', async () => {
    const ref = await store.write(where, []);
    expect(ref).toMatchObject({ bytes: 0, counts: { records: 0 } });
    expect(await store.read(ref)).toEqual([]);
  });

  test('each write has a ref of its own, whatever the names are', async () => {
    const odd = { pipeline: '../..', batchId: '../../etc/passwd\0'.repeat(50), label: '..//\0' };
    const refs = await Promise.all([where, where, odd, odd].map((place, i) => store.write(place, recordsOf([`k${i}`]))));
    expect(new Set(refs.map(({ ref }) => ref)).size).toBe(4);
    for (const [i, ref] of refs.entries()) expect((await store.read(ref))[0]?.key).toBe(`k${i}`);
  });

  test('a batch of 40 MB, and a record of 6 MB in it', async () => {
    const pad = 'päd'.repeat(500);
    const records = Array.from({ length: 16_000 }, (_, index): RecordState => ({
      index,
      key: `k${index}`,
      arrivedAt: 'x',
      fields: { pad: index === 9 ? 'x'.repeat(6e6) : pad },
    }));
    const ref = await store.write(where, records);
    expect(ref.bytes).toBeGreaterThan(36e6);
    const back = await store.read(ref);
    expect(back).toHaveLength(records.length);
    expect(back[9]).toEqual(records[9]);
    expect(back.at(-1)).toEqual(records.at(-1));
  });

  test('a batch that is not there is missing, for good', async () => {
    const { ref, ...rest } = await store.write(where, recordsOf(['a']));
    await store.removeOlderThan(new Date(Date.now() + 2 * 86_400_000), NONE);
    await expect(store.read({ ref, ...rest })).rejects.toMatchObject({
      name: 'BatchMissingError',
      code: 'BATCH_MISSING',
      retryable: false,
      message: expect.stringContaining(ref),
    });
  });

  test('one that is shorter or longer than its ref says is damaged', async () => {
    const ref = await store.write(where, recordsOf(['a', 'b']));
    const damaged = { code: 'BATCH_CORRUPT', retryable: false };
    await expect(store.read({ ...ref, bytes: ref.bytes + 1 })).rejects.toMatchObject({
      ...damaged,
      message: expect.stringContaining(`${ref.bytes} bytes`),
    });
    await expect(store.read({ ...ref, counts: { ...ref.counts, records: 3 } })).rejects.toMatchObject({
      ...damaged,
      message: expect.stringContaining('2 whole records'),
    });
  });

  test.each([
    'file:../../../etc/passwd',
    'file:2026-01-02/../../x/y.ndjson',
    'file:2026-01-02/../y.ndjson',
    'file:/etc/passwd',
    'file:2026-01-02/b/.hidden.ndjson',
    'file:2026-01-02/b/y.ndjson\n/../x.ndjson',
    "pg:00000000-0000-0000-0000-000000000000'; drop table x",
    's3:bucket/x',
    '',
  ])('the ref %j is refused unseen', async (ref) => {
    await expect(store.read({ ref, bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } })).rejects.toMatchObject({
      code: 'BATCH_REF_INVALID',
      retryable: false,
    });
  });

  test('what is old goes, but no batch that is kept', async () => {
    const written = async (batchId: string) => ({ batchId, ref: await store.write({ ...where, batchId }, recordsOf([batchId])) });
    await store.removeOlderThan(new Date(Date.now() + 2 * 86_400_000), NONE);
    const [kept, gone, twice] = [await written('kept'), await written('gone'), await written('gone')];
    expect(await store.removeOlderThan(new Date(Date.now() - 86_400_000), NONE)).toBe(0);
    expect(await store.removeOlderThan(new Date(Date.now() + 2 * 86_400_000), new Set(['kept']))).toBe(1);
    expect((await store.read(kept.ref))[0]?.key).toBe('kept');
    for (const { ref } of [gone, twice]) await expect(store.read(ref)).rejects.toMatchObject({ code: 'BATCH_MISSING' });
  });
});

describe('file driver', () => {
  const context = useTestStore();
  const folder = () => join(context.stack.folder, 'files');
  const pathOf = (ref: string) => join(folder(), ref.slice('file:'.length));

  test('damage on the disk is found: cut off, garbled', async () => {
    for (const fsync of [false, true]) {
      const store = openBatchStore({ driver: 'file', folder: folder(), fsync });
      const ref = await store.write(where, recordsOf(['a', 'b']));
      const content = await readFile(pathOf(ref.ref));
      await truncate(pathOf(ref.ref), ref.bytes - 3);
      await expect(store.read(ref)).rejects.toMatchObject({
        code: 'BATCH_CORRUPT',
        message: expect.stringContaining(`found ${ref.bytes - 3} bytes, expected ${ref.bytes}`),
      });
      await writeFile(pathOf(ref.ref), content.fill(0, 1, 4));
      await expect(store.read(ref)).rejects.toMatchObject({
        code: 'BATCH_CORRUPT',
        message: expect.stringContaining('line 1 is not JSON'),
      });
    }
  });

  test('a write that failed leaves no file', async () => {
    const store = openBatchStore({ driver: 'file', folder: folder() });
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const batchId = 'failing';
    await expect(store.write({ ...where, batchId }, [...recordsOf(['a']), { fields: circular } as unknown as RecordState])).rejects.toThrow(
      TypeError,
    );
    const files = await readdir(folder(), { recursive: true });
    expect(files.filter((name) => name.includes(batchId) && name.includes('.ndjson'))).toEqual([]);
  });

  test('days go by their name, and other files in the folder stay', async () => {
    const store = openBatchStore({ driver: 'file', folder: folder() });
    const { ref } = await store.write(where, recordsOf(['a']));
    const [today = ''] = ref.slice('file:'.length).split('/');
    await rename(join(folder(), today), join(folder(), '2020-02-03'));
    await mkdir(join(folder(), 'notes'));
    await utimes(join(folder(), 'notes'), 0, 0);
    expect(await store.removeOlderThan(new Date('2020-02-03T12:00:00Z'), NONE)).toBe(0);
    expect(await store.removeOlderThan(new Date('2020-02-04T00:00:00Z'), NONE)).toBeGreaterThan(0);
    expect(await readdir(folder())).toEqual(['notes']);
  });
});
