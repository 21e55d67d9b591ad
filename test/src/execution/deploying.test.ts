/** Releases that are deployed while a worker runs, on real servers: it fetches them from the store, and restarts nothing. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type AutoFlowClient, type ReleaseManifest } from '@autoflow/client';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { buildRelease, type Release } from '@autoflow/function-host';
import { useTestStack } from '@autoflow/local-stack/testing';
import { recordDigest } from '@autoflow/store';
import { EXECUTION_QUEUE } from '@autoflow/topology';
import { startPlatform, failureOf, untilRow, type Platform } from './platform.js';

const stack = useTestStack();
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
let platform: Platform;
let controlPlane: ControlPlane;
let api: AutoFlowClient;
let sources: string;
let sound: Release | undefined;

beforeAll(async () => {
  platform = await startPlatform(stack);
  controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
  api = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('deployer', 'admin') });
  sources = join(stack.folder, 'sources');
  await mkdir(sources);
  await symlink(modules, join(sources, 'node_modules'));
  // Not the folder that releases are built into.
  await platform.startWorker(['workflows', 'control', 'functions', 'feeder'], {
    releases: join(stack.folder, 'host'),
    loadWithinMs: 4_000,
  });
});
afterAll(async () => {
  await platform.stop();
  await controlPlane.close();
});

/** `shifts` of a release that stamps its name; a record named `slow` says that it has begun, and waits until it may end. */
async function built(release: string, { onLoad = '', onRecord = '', note = '' } = {}): Promise<Release> {
  const file = join(sources, `${release}.ts`);
  await writeFile(
    file,
    `import { defineFunction, definePipeline, defineResource, TerminalError } from '@autoflow/pipeline';
     import pg from 'pg';
     import { z } from 'zod';
     ${onLoad}
     const database = defineResource({
       name: 'database', secrets: ['TEST_DATABASE_URL'],
       open: ({ secret }) => new pg.Pool({ connectionString: secret('TEST_DATABASE_URL'), max: 1 }),
       close: (pool) => pool.end(),
     });
     const stamp = defineFunction('stamp', {
       effect: 'read', uses: { database }, timeoutMs: 60_000,
       reads: z.object({ id: z.string() }), writes: z.object({ by: z.string() }),
       async handle({ id }, { database }) {
         if (id.startsWith('slow')) {
           await database.query('insert into attempts (id, key) values ($1, $1)', [id]);
           while ((await database.query('select from released')).rowCount === 0) await database.query('select pg_sleep(0.02)');
         }
         ${onRecord}
         return { by: '${release}' };
       },
     });
     export const shifts = definePipeline(
       'shifts',
       { input: z.object({ id: z.string(), ${note} }), key: 'id', output: z.object({ by: z.string(), ${note} }) },
       (shift) => stamp(shift),
     );`,
  );
  return buildRelease(file, join(stack.folder, 'built'));
}

/** Past the checks of the command, as somebody with a client of his own would. */
async function deploy({ manifest, code, hash }: Pick<Release, 'manifest' | 'code' | 'hash'>) {
  await api.releases.upload({ manifest: manifest as ReleaseManifest, code: Buffer.from(code).toString('utf8') });
  return api.releases.deploy('shifts', { release: hash });
}

/** As ingest takes it. */
async function send(record: { readonly id: string }) {
  const one = { key: record.id, record, digest: recordDigest(record), bytes: 1 };
  return (await platform.store.inbox.accept({ pipeline: 'shifts', scope: 'live', records: [one] }))[0];
}
const untilState = (key: string, state: string) =>
  untilRow(platform, `select from autoflow.records where key = '${key}' and state = '${state}'`);

let executions = 0;
const start = (id: string) =>
  platform.client.workflow.start('shifts', { taskQueue: EXECUTION_QUEUE, workflowId: `shift-${executions++}`, args: [[{ id }]] });
const byOf = async (id: string) => ((await (await start(id)).result()) as { results: { output: { by: string } }[] }).results[0]?.output.by;

test('new executions get the new release, and what is under way ends on its own', async () => {
  await deploy(await built('one'));
  const slow = await start('slow-1');
  await untilRow(platform, `select from attempts where id = 'slow-1'`);
  expect(await deploy(await built('two'))).toMatchObject({ plan: 'kept', stable: true, version: { name: 'v2' } });
  expect(await byOf('quick')).toBe('two');
  await platform.sql.query('insert into released values (true)');
  expect(((await slow.result()) as { results: object[] }).results).toMatchObject([{ output: { by: 'one' } }]);
});

test.each([
  ['throws on load', `throw new Error('not here');`, 'not here'],
  ['needs a module that no host has', `const missing = 'nowhere-to-be-found'; await import(missing);`, 'nowhere-to-be-found'],
  ['exits on load', 'process.exit(7);', 'code 7'],
  ['never returns from its load', 'await new Promise(() => {});', 'did not finish loading within 4000 ms, 2 times in a row'],
])('a release that %s fails by itself, and is rolled back', async (_, onLoad, words) => {
  sound ??= await built('sound');
  await deploy(sound);
  const line = `if (!process.argv[1]?.includes('inspect')) { ${onLoad} }`;
  await deploy(await built(`broken-${words.slice(0, 3)}`, { onLoad: line }));
  const key = `kept-${words}`;
  await send({ id: key });
  const failure = await failureOf((await start(`direct-${words}`)).result());
  expect(failure.message).toContain(words);
  await untilState(key, 'dead');
  const letter = { key, code: 'ReleaseBroken', message: expect.stringContaining(words) };
  expect((await api.deadLetters.list('shifts')).items).toContainEqual(expect.objectContaining(letter));
  expect((await api.stable.set('shifts', { release: sound.hash, reason: 'it does not load' }, '*')).release).toBe(sound.hash);
  expect(await byOf('after')).toBe('sound');
  await api.deadLetters.redriveMany('shifts', { reason: 'this one loads' });
  await untilState(key, 'completed');
});

test('a record that died is run again on the next release, with what only that one declares', async () => {
  const { ledger } = platform.store;
  const record = { id: 'noted', note: 'by hand' };
  await deploy(await built('strict', { onRecord: `throw new TerminalError('NOT_YET', 'not yet');` }));
  await send(record);
  await untilState('noted', 'dead');
  const { version } = await deploy(await built('noting', { note: 'note: z.string()' }));
  await api.deadLetters.redriveMany('shifts', { reason: 'it takes notes now' });
  await untilState('noted', 'completed');
  expect(await ledger.record('shifts', 'live', 'noted')).toMatchObject({
    version: version.name,
    output: { by: 'noting', note: 'by hand' },
  });
  expect(await send(record)).toEqual({ state: 'known', as: 'completed' });
});
