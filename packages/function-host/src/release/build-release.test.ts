import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashPipeline } from '@autoflow/topology';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRelease } from './build-release.js';
import { readRelease } from './read-release.js';

const fixtures = fileURLToPath(new URL('../testing/fixtures', import.meta.url));
const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-release-'));
  await symlink(modules, join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true }));

async function moduleOf(name: string, code: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, code);
  return file;
}
const build = (file: string, loadWithinMs = 20_000): Promise<unknown> => buildRelease(file, join(folder, 'releases'), { loadWithinMs });

describe('buildRelease', () => {
  it('writes a folder named by the hash, with bundle, source map and specs', async () => {
    const release = await buildRelease(join(fixtures, 'echo.ts'), join(folder, 'releases'));
    expect(release.folder).toBe(join(folder, 'releases', release.hash));
    expect((await readdir(release.folder)).sort()).toEqual(['index.mjs', 'index.mjs.map', 'release.json']);
    expect(release.specs.map(({ name }) => name)).toEqual(['echo']);
    const installed = await readRelease(join(folder, 'releases'), release.hash);
    expect(hashPipeline(installed.specs[0]!)).toBe(hashPipeline(release.specs[0]!));
  });

  it('answers the same hash from another checkout and another working folder', async () => {
    const here = await buildRelease(join(fixtures, 'trouble.ts'), join(folder, 'releases'));
    const elsewhere = join(folder, 'a', 'deeper', 'checkout');
    await mkdir(elsewhere, { recursive: true });
    await cp(join(fixtures, 'trouble.ts'), join(elsewhere, 'trouble.ts'));
    const cwd = process.cwd();
    process.chdir(elsewhere);
    try {
      const there = await buildRelease('trouble.ts', join(elsewhere, 'releases'));
      expect(there.hash).toBe(here.hash);
    } finally {
      process.chdir(cwd);
    }
  });

  it('tells all pipelines of a module, sorted by name', async () => {
    const release = await buildRelease(join(fixtures, 'trouble.ts'), join(folder, 'releases'));
    expect(release.specs.map(({ name }) => name)).toEqual(['curiosity', 'trouble', 'visits']);
  });

  it('bundles a CommonJS package that requires Node modules, beside own `require` and `__dirname`', async () => {
    const file = await moduleOf(
      'with-pg.mjs',
      `import pg from 'pg'; import { createRequire } from 'node:module';
       import { echo } from ${JSON.stringify(join(fixtures, 'echo.ts'))};
       const require = createRequire(import.meta.url); const __dirname = 'mine'; new pg.Pool(); require('node:fs'); export { echo }; export const place = __dirname;`,
    );
    await expect(build(file)).resolves.toMatchObject({ specs: [{ name: 'echo' }] });
  });

  it('loads no HTTP client for a package that asks where it runs', async () => {
    await moduleOf('watch.mjs', `Object.defineProperty(globalThis, 'Response', { get() { throw new Error('asked'); } });`);
    const file = await moduleOf(
      'asking.mjs',
      `import './watch.mjs'; import 'pg'; export { echo } from ${JSON.stringify(join(fixtures, 'echo.ts'))};`,
    );
    await expect(build(file)).resolves.toMatchObject({ specs: [{ name: 'echo' }] });
  });

  it('leaves the translations of zod out, unless a module names them', async () => {
    const saidBy = async (name: string, imported: string, error: string): Promise<{ said: string; bytes: number }> => {
      const file = await moduleOf(
        name,
        `${imported} import { object } from 'zod'; export { echo } from ${JSON.stringify(join(fixtures, 'echo.ts'))};
         export const said = object({ town: object() }).safeParse({}, { error: ${error} }).error.issues[0].message;`,
      );
      const release = await buildRelease(file, join(folder, 'spoken'));
      const { said } = (await import(join(release.folder, 'index.mjs'))) as { said: string };
      return { said, bytes: release.code.length };
    };
    const silent = await saidBy('silent.mjs', '', 'undefined');
    expect(silent.said).toContain('Invalid input');
    for (const [name, imported, error] of [
      ['member.mjs', `import { z } from 'zod';`, 'z.locales.nl().localeError'],
      ['namespace.mjs', `import * as z from 'zod';`, 'z.locales.nl().localeError'],
      ['named.mjs', `import { locales } from 'zod';`, 'locales.nl().localeError'],
    ] as const) {
      const spoken = await saidBy(name, imported, error);
      expect(spoken.said, imported).toContain('Ongeldige invoer');
      expect(silent.bytes).toBeLessThan(spoken.bytes / 1.5);
    }
  });

  it.each([
    ['a module that is not there', 'nowhere.ts', undefined, 'RELEASE_MODULE_MISSING', 'nowhere.ts'],
    ['a syntax error', 'syntax.ts', 'export const x = (;', 'RELEASE_DOES_NOT_BUNDLE', 'syntax.ts:1:'],
    ['an import that cannot be resolved', 'import.ts', `import 'not-there'; export {};`, 'RELEASE_DOES_NOT_BUNDLE', 'not-there'],
    ['a module without pipeline', 'none.ts', 'export const x = 1;', 'RELEASE_WITHOUT_PIPELINE', 'definePipeline'],
    ['a module that throws', 'throws.ts', `throw new Error('on load');`, 'RELEASE_DOES_NOT_LOAD', 'on load'],
    ['a missing module', 'missing.ts', `const m = 'no-such'; require(m);`, 'RELEASE_DOES_NOT_LOAD', 'import a module by its name'],
    ['a module that exits', 'exits.ts', 'process.exit(7);', 'RELEASE_DOES_NOT_LOAD', 'code 7'],
  ])('refuses %s', async (_, name, code, expected, word) => {
    const file = code === undefined ? join(folder, name) : await moduleOf(name, code);
    await expect(build(file)).rejects.toMatchObject({
      name: 'ReleaseError',
      code: expected,
      message: expect.stringContaining(word) as string,
    });
  });

  it('does not take what a module sends for its specs', async () => {
    const sending = `export { echo } from ${JSON.stringify(join(fixtures, 'echo.ts'))};
      for (const word of [null, 'ready', { error: 'x' }, { type: 'specs' }]) (process.send ?? process['_send']).call(process, word);`;
    await expect(build(await moduleOf('sends.mjs', sending))).resolves.toMatchObject({ specs: [{ name: 'echo' }] });
  });

  it.each([
    ['synchronously', 'for (;;);'],
    ['in an await', 'setInterval(() => {}, 1000); await new Promise(() => {});'],
  ])('refuses a module that never ends loading %s', async (_, code) => {
    await expect(build(await moduleOf('endless.mts', code), 300)).rejects.toMatchObject({
      code: 'RELEASE_DOES_NOT_LOAD',
      message: expect.stringContaining('within 300 ms') as string,
    });
  });

  it('leaves nothing half written behind', async () => {
    const left = await readdir(join(folder, 'releases'));
    expect(left.filter((name) => name.startsWith('.') && name !== '.programs')).toEqual([]);
  });
});

describe('readRelease', () => {
  it('refuses a release that is not there, and one whose bundle was changed', async () => {
    await expect(readRelease(folder, 'f'.repeat(64))).rejects.toMatchObject({ code: 'RELEASE_MISSING' });
    const release = await buildRelease(join(fixtures, 'echo.ts'), join(folder, 'changed'));
    const bundle = join(release.folder, 'index.mjs');
    await writeFile(bundle, `${await readFile(bundle, 'utf8')};`);
    await expect(readRelease(join(folder, 'changed'), release.hash)).rejects.toMatchObject({ code: 'RELEASE_DAMAGED' });
  });
});
