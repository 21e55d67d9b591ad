import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programFile } from './programs.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-programs-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a program is there whenever it is asked for, also when its folder was cleared meanwhile', async () => {
  const file = await programFile('release/inspect', folder);
  const code = await readFile(file, 'utf8');
  await rm(join(folder, '.programs'), { recursive: true });
  const files = await Promise.all([programFile('release/inspect', folder), programFile('release/inspect', folder)]);
  expect(files).toEqual([file, file]);
  await access(file);
  expect(await readFile(file, 'utf8')).toBe(code);
});
