import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedTemporal } from '../local-stack/src/temporal-binary.js';

const bootstrap = fileURLToPath(new URL('../bootstrap', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-bootstrap-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('the bootstrap puts the Temporal server where the local stack looks for it', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  const { stdout } = await node(`import { binary } from '${bootstrap}/temporal.mjs'; console.log(binary)`, env);
  expect(stdout.trim()).toBe(cachedTemporal(env));
});

test('packages are installed again when the lock file names another version, or one that is missing', async () => {
  const installed = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/extra': { version: '1.0.0' } };
  const cases = [
    [{ 'node_modules/a': { version: '1.0.0' } }, true],
    [{ 'node_modules/a': { version: '1.0.1' } }, false],
    [{ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }, false],
    [{ 'node_modules/a': { version: '1.0.0' }, 'node_modules/other-platform': { version: '1.0.0', optional: true } }, true],
  ] as const;
  cpSync(bootstrap, join(folder, 'infra', 'bootstrap'), { recursive: true });
  write('node_modules/.package-lock.json', { packages: installed });
  for (const [packages, done] of cases) {
    write('package-lock.json', { packages });
    const { stdout } = await node(
      `import { dependencies } from '${folder}/infra/bootstrap/dependencies.mjs'; console.log(dependencies.done())`,
    );
    expect([packages, stdout.trim()]).toEqual([packages, String(done)]);
  }
});

test('packages are installed again when a program of ours has no link, or one to nowhere', async () => {
  cpSync(bootstrap, join(folder, 'infra', 'bootstrap'), { recursive: true });
  write('node_modules/.package-lock.json', { packages: {} });
  write('package-lock.json', { packages: { 'apps/cli': { bin: { autoflow: 'bin/autoflow.mjs' } } } });
  const link = join(folder, 'node_modules', '.bin', 'autoflow');
  const done = async () => {
    const script = `import { dependencies } from '${folder}/infra/bootstrap/dependencies.mjs'; console.log(dependencies.done())`;
    return (await node(script)).stdout.trim();
  };
  expect(await done()).toBe('false');
  write('apps/cli/bin/autoflow.mjs', {});
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync('../../apps/cli/bin/autoflow.mjs', link);
  expect(await done()).toBe('true');
  rmSync(join(folder, 'apps'), { recursive: true });
  expect(await done()).toBe('false');
});

test('without any way to a Temporal server the set-up ends before it begins, with the remedies; a named server will do, but not for the tests', async () => {
  const checked = async (steps: string, named: NodeJS.ProcessEnv = {}) => {
    const script = `
      import { ${steps} as temporal } from '${bootstrap}/temporal.mjs';
      globalThis.fetch = () => Promise.reject(new Error('no network'));
      console.log(temporal.done() || (await temporal.check().catch((error) => error.message)));`;
    return (await node(script, { PATH: folder, HOME: folder, ...named })).stdout.trim();
  };
  const remedies =
    /temporal\.download cannot be reached[^]*Go is not on PATH[^]*1\. Install the Temporal CLI[^]*2\. Install Go[^]*3\. Set TEMPORAL_ADDRESS/;
  expect(await checked('temporal')).toMatch(remedies);
  expect(await checked('temporal', { TEMPORAL_ADDRESS: 'theirs:7233' })).toBe('true');
  expect(await checked('ownTemporal', { TEMPORAL_ADDRESS: 'theirs:7233' })).toMatch(remedies);
});

test('two set-ups wait for each other, and a lock whose process is gone is taken over', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  write('autoflow/locks/shared', { pid: 2 ** 22 + 1, began: '1' });
  const script = `
    import { exclusively } from '${bootstrap}/lock.mjs';
    import { appendFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    await exclusively('shared', async () => {
      appendFileSync('${folder}/log', 'begin ');
      await setTimeout(50);
      appendFileSync('${folder}/log', 'end ');
    });`;
  await Promise.all([node(script, env), node(script, env), node(script, env)]);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('begin end '.repeat(3));
});

test('an unknown option is a usage error', async () => {
  await expect(run(process.execPath, [join(bootstrap, 'main.mjs'), '--only', 'nonsense'])).rejects.toMatchObject({ code: 2 });
});

test.each([
  { name: 'all passed', report: reportOf('passed', 'passed'), line: '2 passed, 0 failed', code: 0 },
  { name: 'one failed', report: reportOf('passed', 'failed'), test: 1, line: '1 passed, 1 failed', code: 1 },
  { name: 'one skipped', report: reportOf('passed', 'pending'), line: '1 passed, 0 failed, 1 skipped', code: 0 },
  { name: 'a file that cannot be loaded', report: reportOf('passed', null), test: 1, line: '1 passed, 1 failed', code: 1 },
  { name: 'lint failed', report: reportOf('passed'), lint: 3, line: '1 passed, 0 failed', code: 3 },
  { name: 'a crash after the tests', report: reportOf('passed'), test: 9, line: '1 passed, 0 failed', code: 9 },
  { name: 'a crash before the tests', report: undefined, test: 1, line: undefined, code: 1 },
  { name: 'no test at all', report: reportOf(), line: undefined, code: 1 },
  { name: 'a set-up that fails', setup: 7, report: reportOf('passed'), line: undefined, code: 7 },
])('continuous integration, $name: last line and exit code', async ({ setup = 0, lint = 0, test: tests = 0, report, line, code }) => {
  const root = dirname(dirname(bootstrap));
  for (const file of ['.ci/run', 'infra/test/count.mjs']) cpSync(join(root, file), join(folder, file), { recursive: true });
  write('report.json', report ?? {});
  const copy = report
    ? `for (const a of process.argv) if (a.startsWith('--outputFile.json=')) fs.copyFileSync('report.json', a.slice(18));`
    : '';
  writeFileSync(join(folder, 'test.cjs'), `const fs = require('fs'); ${copy} process.exitCode = ${tests};`);
  write('package.json', { scripts: { setup: `exit ${setup}`, lint: `exit ${lint}`, test: 'node test.cjs' } });
  const outcome = await run('bash', ['.ci/run'], { cwd: folder }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  expect(outcome.code).toBe(code);
  const counts = outcome.stdout.split('\n').filter((text) => /passed, \d+ failed/.test(text));
  expect(counts).toEqual(line === undefined ? [] : [line]);
  if (line !== undefined) expect(outcome.stdout.trimEnd().endsWith(line)).toBe(true);
});

/** One test file per status; null is a file that could not be loaded. */
function reportOf(...statuses: (string | null)[]): object {
  const count = (status: string) => statuses.filter((one) => one === status).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: 0,
    testResults: statuses.map((status) => ({
      status: status === null || status === 'failed' ? 'failed' : 'passed',
      assertionResults: status === null ? [] : [{ status }],
    })),
  };
}

function write(file: string, content: object): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), JSON.stringify(content));
}

const run = promisify(execFile);

function node(script: string, env = process.env): Promise<{ stdout: string }> {
  return run(process.execPath, ['--input-type=module', '-e', script], { env });
}
