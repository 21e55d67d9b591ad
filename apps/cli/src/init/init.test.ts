/** A project that `init` made, used as its owner would: installed, compiled, tested, developed, served by one more worker, deployed. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { type AnyJson, start, type Started } from '../testing/spawn.js';

const stack = useTestStack();
const run = promisify(execFile);
let project: string;
let developing: Developing;
/** Whatever a failed test leaves running. */
const begun: Started[] = [];

/** Servers that are there already are used, and a cache folder of its own keeps this stack apart from the user's. */
const env = () => ({
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: stack.temporal.address,
  TEMPORAL_NAMESPACE: stack.temporal.namespace,
  XDG_CACHE_HOME: join(stack.folder, 'cache'),
});
const begin = (...args: string[]) => {
  const started = start([...args, '--json'], env(), project);
  begun.push(started);
  return started;
};
const autoflow = (...args: string[]) => begin(...args).ended;

beforeAll(async () => {
  project = join(stack.folder, 'My Shop');
  expect(await start(['init', project, '--json']).ended).toMatchObject({ code: 0, json: { folder: project } });
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: project });
});
afterAll(async () => {
  for (const { child } of begun) child.kill('SIGTERM');
  await Promise.all(begun.map(({ ended }) => ended));
});

interface Developing extends Started {
  /** The next event of `dev`. */
  next(): Promise<AnyJson>;
}
function develop(): Developing {
  const started = begin('dev');
  const lines = createInterface({ input: started.child.stdout! })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`dev ended: ${(await started.ended).stderr}`);
    return JSON.parse(value) as AnyJson;
  };
  return { ...started, next };
}

const submit = async (orderNo: string) => {
  const order = { orderNo, lines: [{ article: 'lamp', quantity: 2, unitPriceCents: 3_000 }] };
  const { json } = await autoflow('submit', 'orders', '--record', JSON.stringify(order), '--wait');
  return json.results[0].output;
};

test('it compiles, its wiring holds, its test and its samples pass', { timeout: 300_000 }, async () => {
  await run('npm', ['run', 'check'], { cwd: project });
  const { stdout } = await run('npm', ['test'], { cwd: project, env: { ...process.env, NO_COLOR: '1', VITEST: '' } });
  expect(stdout).toMatch(/1 passed[^]*3 samples of orders, the same at batch sizes 1, 7, all/);
});

test(
  'dev deploys it at every save, and says what is wrong; another worker joins; deploy knows it by name',
  { timeout: 300_000 },
  async () => {
    developing = develop();
    expect(await developing.next()).toMatchObject({ event: 'up', api: expect.stringMatching(/^http:/) });
    expect(await developing.next()).toMatchObject({ event: 'deployed', pipelines: [{ pipeline: 'orders', version: { name: 'v1' } }] });
    expect(await submit('1')).toEqual({ orderNo: '1', totalCents: 6_000, freeShipping: true });

    const file = join(project, 'src', 'orders.ts');
    const source = await readFile(file, 'utf8');
    await writeFile(file, source.replace('>= 5_000', '>= ;'));
    expect(await developing.next()).toMatchObject({ event: 'failed', module: 'orders', code: 'RELEASE_DOES_NOT_BUNDLE' });
    await writeFile(file, `${source}throw new Error('not yet');`);
    expect(await developing.next()).toMatchObject({ event: 'failed', detail: expect.stringContaining('not yet') });
    expect(await submit('2')).toMatchObject({ freeShipping: true });
    await writeFile(file, source.replace('>= 5_000', '>= 10_000'));
    const { pipelines } = await developing.next();
    expect(pipelines).toMatchObject([{ plan: 'kept', stable: true, version: { name: 'v2' } }]);
    expect(await submit('3')).toMatchObject({ freeShipping: false });

    const worker = begin('worker', '--role', 'functions', '--pipelines', 'returns');
    expect(await worker.answered).toMatchObject({ roles: ['functions'], pipelines: ['returns'] });
    const hosts = (await autoflow('hosts')).json.items as AnyJson[];
    expect(hosts.map(({ roles, pools }) => [roles.length, pools.length > 0]).sort()).toEqual([
      [1, false],
      [5, true],
    ]);
    worker.child.kill('SIGINT');
    expect((await worker.ended).code).toBe(0);

    expect(await autoflow('deploy')).toMatchObject({ code: 0, json: [{ uploaded: false, pipelines: [{ version: { name: 'v2' } }] }] });
    developing.child.kill('SIGINT');
    expect((await developing.ended).code).toBe(0);
  },
);

test('nothing is overwritten', async () => {
  expect(await autoflow('init', project)).toMatchObject({ code: 1, json: { error: { code: 'FOLDER_NOT_EMPTY' } } });
});

test('all that is wrong with its settings is told at once', async () => {
  const file = join(stack.folder, 'autoflow.config.ts');
  await writeFile(file, `export default { pipelines: { orders: 3 }, api: 'ftp://x', worker: { role: 'all' } };`);
  const { code, json } = await autoflow('check', '--config', file);
  expect([code, json.error.code]).toEqual([1, 'CONFIG_INVALID']);
  for (const place of ['pipelines.orders', 'api', 'worker']) expect(json.error.detail).toContain(`${place}: `);
});
