import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CellBook } from './cell-book.js';
import { codeHash } from './code-hash.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'cells-'))));
afterAll(() => rm(folder, { recursive: true }));

const silent = (): void => {};
const open = (conditions: object) => CellBook.open<{ n: number }>('some', conditions, ({ n }) => `${n}`, folder);

it('goes on where it was: what is measured under the same conditions is not measured again', async () => {
  const told: string[] = [];
  const first = await open({ code: 'a' });
  await first.take('one', async () => ({ n: 1 }), (line) => told.push(line)); // prettier-ignore
  await expect(first.take('two', () => Promise.reject(new Error('killed')), silent)).rejects.toThrow('killed');
  const again = await open({ code: 'a' });
  expect([again.size, again.has('one'), again.has('two')]).toEqual([1, true, false]);
  expect(await again.take('one', async () => ({ n: 99 }), silent)).toEqual({ n: 1 });
  expect(told).toEqual(['one: 1']);
});

it('loses nothing but what a kill has cut off, and takes what another book of the same conditions has', async () => {
  const { path } = await open({ code: 'a' });
  await appendFile(path, '["three",{"n":');
  const mended = await open({ code: 'a' });
  expect([mended.size, mended.has('three')]).toEqual([1, false]);
  await mended.take('four', async () => ({ n: 4, none: Number.NaN }), silent);
  const other = await readFile(path, 'utf8');
  await appendFile(path, other.replace('four', 'five'));
  const both = await open({ code: 'a' });
  expect([...['one', 'three', 'four', 'five'].map((name) => both.has(name))]).toEqual([true, false, true, true]);
  expect(await both.take('four', async () => ({ n: 0 }), silent)).toEqual({ n: 4, none: null });
});

it('measures anew what other code has measured, keeps what that has, and forgets what lies in a report once all of it does', async () => {
  const newer = await open({ code: 'b' });
  expect(newer.size).toBe(0);
  await newer.take('one', async () => ({ n: 2 }), silent);
  expect((await open({ code: 'a' })).has('one')).toBe(true);
  const older = await open({ code: 'a' });
  const { size } = older;
  await older.take('one', async () => ({ n: 0 }), silent);
  await older.close();
  expect((await open({ code: 'a' })).size).toBe(size);
  for (const name of ['four', 'five']) await older.take(name, async () => ({ n: 0 }), silent);
  await older.close();
  expect((await open({ code: 'a' })).size).toBe(0);
});

it('tells code apart by its contents, and tests and what is left out are no part of it', async () => {
  const code = join(folder, 'code');
  await mkdir(join(code, 'report'), { recursive: true });
  const hash = async (name: string, text: string): Promise<string> => {
    await writeFile(join(code, name), text);
    return codeHash([code], /^report\//);
  };
  const first = await hash('a.js', '1');
  expect(await hash('a.test.js', '1')).toBe(first);
  expect(await hash('report/b.js', '1')).toBe(first);
  expect(await hash('notes.md', '1')).toBe(first);
  expect(await codeHash([code], /^report\//, [join(code, 'report/b.js')])).not.toBe(first);
  expect(await hash('a.js', '2')).not.toBe(first);
  expect(await hash('a.js', '1')).toBe(first);
});
