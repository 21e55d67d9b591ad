import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeEach, expect, it } from 'vitest';
import * as kept from './kept-code.js';

const folder = await mkdtemp(join(tmpdir(), 'autoflow-kept-'));
afterAll(() => rm(folder, { recursive: true }));

let file: string;
let source: string;
let made: number;
let tests = 0;
beforeEach(async () => {
  const place = join(folder, `${tests++}`);
  await mkdir(place);
  [file, source, made] = [join(place, 'kept', 'program.json'), join(place, 'source.ts'), 0];
  await writeFile(source, 'one');
  await long();
});

const UNSURE_MS = 20;
/** Until a source that was written counts as written before. */
const long = () => after(2 * UNSURE_MS);
const keptCode = (file: string, make: () => Promise<kept.MadeCode>): Promise<string> => kept.keptCode(file, make, UNSURE_MS);
const make = (): Promise<kept.MadeCode> => Promise.resolve({ code: `made ${++made}`, sources: [source] });

it('is made once', async () => {
  expect(await keptCode(file, make)).toBe('made 1');
  expect(await keptCode(file, make)).toBe('made 1');
});

it('is made anew when a source is another, of the same length and of a time that was set back', async () => {
  await utimes(source, 0, 0);
  await long();
  await keptCode(file, make);
  await writeFile(source, 'two');
  await utimes(source, 0, 0);
  await long();
  expect(await keptCode(file, make)).toBe('made 2');
  expect(await keptCode(file, make)).toBe('made 2');
});

it('is made anew when a source is gone', async () => {
  await keptCode(file, make);
  await rm(source);
  expect(await keptCode(file, make)).toBe('made 2');
});

it('is not kept of a source that was written meanwhile', async () => {
  const slowly = async (): Promise<kept.MadeCode> => {
    await writeFile(source, 'two');
    return make();
  };
  await keptCode(file, slowly);
  expect(await keptCode(file, make)).toBe('made 2');
});

it('is whole for everybody who makes it at the same time', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => keptCode(file, make)));
  expect(answers).toContain(await keptCode(file, make));
  expect(await readdir(join(file, '..'))).toEqual(['program.json']);
});

it('is made again where what is kept is not whole', async () => {
  await keptCode(file, make);
  await writeFile(file, '{"code":"ma');
  expect(await keptCode(file, make)).toBe('made 2');
});

it('is made each time where it cannot be kept', async () => {
  // Root may write everywhere; nobody can make a folder in a file.
  await writeFile(join(file, '..'), '');
  expect(await keptCode(file, make)).toBe('made 1');
  expect(await keptCode(file, make)).toBe('made 2');
});
