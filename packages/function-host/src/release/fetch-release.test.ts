import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildRelease, type Release } from './build-release.js';
import { provideRelease } from './fetch-release.js';

let folder: string;
let release: Release;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-fetch-'));
  release = await buildRelease(fileURLToPath(new URL('../testing/fixtures/echo.ts', import.meta.url)), join(folder, 'built'));
});
afterAll(() => rm(folder, { recursive: true }));

const stored = () => Promise.resolve(release);
const refusing = () => Promise.reject(new Error('fetched without need'));

it('fetches a release that is not here, once', async () => {
  const here = join(folder, 'fetched');
  const { bundle, specs } = await provideRelease(here, release.hash, stored);
  expect(Buffer.compare(await readFile(bundle), release.code)).toBe(0);
  expect(specs).toEqual(release.specs);
  expect((await readdir(join(here, release.hash))).sort()).toEqual(['index.mjs', 'index.mjs.map', 'release.json']);
  await expect(provideRelease(here, release.hash, refusing)).resolves.toMatchObject({ bundle });
});

it('waits for a store that is down for a moment', async () => {
  let asked = 0;
  const back = () => (++asked < 3 ? Promise.reject(new Error('down')) : Promise.resolve(release));
  await expect(provideRelease(join(folder, 'later'), release.hash, back)).resolves.toMatchObject({ specs: release.specs });
  expect(asked).toBe(3);
});

it('says of a store that stays down that it may be tried again', async () => {
  const down = () => Promise.reject(new Error('connection refused'));
  await expect(provideRelease(join(folder, 'never'), release.hash, down, 0)).rejects.toMatchObject({
    code: 'RELEASE_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('connection refused') as string,
  });
});

it.each([
  ['whose code is another', (one: Release) => ({ ...one, code: Buffer.from('export {}') })],
  ['whose manifest names another', (one: Release) => ({ ...one, manifest: { ...one.manifest, hash: 'f'.repeat(64) } })],
  [
    'whose wiring was changed',
    (one: Release) => ({ ...one, manifest: { ...one.manifest, specs: one.specs.map((spec) => ({ ...spec, key: 'other' })) } }),
  ],
])('keeps nothing of a release %s', async (_, lie) => {
  const here = join(folder, 'lied');
  await expect(provideRelease(here, release.hash, () => Promise.resolve(lie(release)))).rejects.toMatchObject({
    code: 'RELEASE_DAMAGED',
    retryable: false,
  });
  await expect(readdir(here)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('replaces a release whose files were changed here', async () => {
  const here = join(folder, 'damaged');
  const { bundle } = await provideRelease(here, release.hash, stored);
  await writeFile(bundle, 'export {}');
  await provideRelease(here, release.hash, stored);
  expect(Buffer.compare(await readFile(bundle), release.code)).toBe(0);
});

it('is missing when nobody has it', async () => {
  await expect(provideRelease(folder, 'e'.repeat(64), () => Promise.resolve(undefined))).rejects.toMatchObject({ code: 'RELEASE_MISSING' });
});
