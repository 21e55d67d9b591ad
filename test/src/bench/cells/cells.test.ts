import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

it('measures anew what other code has measured, and forgets what lies in a report', async () => {
  expect((await open({ code: 'b' })).size).toBe(0);
  await (await open({ code: 'a' })).close();
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
  expect(await hash('a.js', '2')).not.toBe(first);
  expect(await hash('a.js', '1')).toBe(first);
});
