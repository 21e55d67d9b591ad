/** Modules of a user: what `test` and `check` find in them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { autoflow } from '../testing/spawn.js';

/** Inside the checkout, so that its imports are found. */
const here = fileURLToPath(new URL('.', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(here, '.own-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = `
import { defineExpand, defineFunction, definePipeline, defineReduce, join } from '@autoflow/pipeline';
import { z } from 'zod';
const Input = z.object({ id: z.string(), parts: z.array(z.number()) });
const split = defineExpand('split', { reads: Input.pick({ parts: true }), writes: z.object({ part: z.number() }), children: ({ parts }) => parts.map((part) => ({ part })) });
const total = defineReduce('total', { reads: z.object({ part: z.number() }), into: 'total', zero: { sum: 0 }, add: (s, { part }) => ({ sum: s.sum + part }), merge: (a, b) => ({ sum: a.sum + b.sum }) });
`;
const pipeline = `export default definePipeline('sums', { input: Input, key: 'id', output: z.object({ id: z.string() }) }, (r) => join(r, total(split(r))));\n`;

async function module(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

test('sums of fractions are found out by check', async () => {
  const file = await module('fractions.ts', `${head}${pipeline}export const samples = [{ id: 'a', parts: [0.1, 0.7, 1.3] }];`);
  const { code, json, stderr } = await autoflow('check', file, '--json');
  expect([code, json]).toMatchObject([1, [{ pipeline: 'sums', reduces: [{ node: 'total', holds: false }] }]]);
  expect(stderr).toContain("'total': it does not hold that");
});

test('a meaning that comes from the batch is found out by test', async () => {
  const counting = `const count = defineFunction('count', { effect: 'pure', reads: z.object({ id: z.string() }), writes: z.object({ n: z.number() }), handleBatch: (all) => all.map(() => ({ n: all.length })) });
    export default definePipeline('counts', { input: z.object({ id: z.string() }), key: 'id', output: z.object({ n: z.number() }) }, (r) => count(r));
    export const samples = [{ id: 'a' }, { id: 'b' }];`;
  const { code, json } = await autoflow('test', await module('counts.ts', head + counting), '--json');
  expect([code, json.error.code]).toEqual([1, 'TEST_FAILED']);
  expect(json.error.detail).toContain('the batch size changes the outcome');
});

test.each([
  ['no pipeline', 'none.ts', 'export const x = 1;', 'test', 'RELEASE_WITHOUT_PIPELINE'],
  ['no samples', 'no-samples.ts', head + pipeline, 'test', 'SAMPLES_MISSING'],
  ['samples that are no list', 'odd-samples.ts', `${head}${pipeline}export const samples = 3;`, 'test', 'SAMPLES_INVALID'],
  ['a syntax error', 'broken.ts', 'export const = ', 'check', 'RELEASE_DOES_NOT_BUNDLE'],
  ['a module that throws', 'throws.ts', "throw new Error('boom');", 'check', 'RELEASE_DOES_NOT_LOAD'],
])('%s is told', async (_, name, text, command, expected) => {
  const { code, json } = await autoflow(command, await module(name, text), '--json');
  expect([code, json.error.code]).toEqual([1, expected]);
});

test.each([
  ['throws', "throw new Error('boom');", /boom/],
  ['needs a module that is not there', "await import(['nowhere'].join());", /nowhere[^]*import a module by its name/],
])('a module that %s when it is loaded is refused before anything is asked of the API', async (_, text, words) => {
  const { code, json } = await autoflow('deploy', await module('unloadable.ts', text), '--api', 'http://127.0.0.1:9', '--json');
  expect([code, json.error.code]).toEqual([1, 'RELEASE_DOES_NOT_LOAD']);
  expect(json.error.detail).toMatch(words);
});
