import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { removeStack, runningStack, stopStack } from './control.js';
import { stacksFolder } from './folders.js';
import { isAlive } from './processes.js';
import { type Stack, stackFolder, type StackOptions, startStack } from './stack.js';
import { readState, type StackState } from './state.js';
import { findTemporal } from './temporal-binary.js';

let folder: string;
/** Of the persistent stacks, one after the other: a database is made only once. */
let home: string;
const started: Stack[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'autoflow-stack-home-'));
});
afterAll(() => remove(home));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-stack-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((stack) => stack.stop()));
  await remove(folder);
});

async function remove(dataFolder: string): Promise<void> {
  await removeStack({ name: 'tested', dataFolder });
  await rm(dataFolder, { recursive: true, force: true });
}

test('data and addresses survive a restart, and nothing runs in between', async () => {
  const first = await start({ mode: 'persistent', namespaces: ['orders'] });
  expect(first.temporal.uiUrl).toMatch(/^http:/);
  await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await withClient(first, (client) => client.workflow.start('kept', { taskQueue: 'q', workflowId: 'kept' }));
  const running = stateOf(first);
  await first.stop();
  expect(serversAlive(running)).toBe(0);
  expect(runningStack({ name: 'tested', dataFolder: home })).toBeUndefined();

  const second = await start({ mode: 'persistent', namespaces: ['orders'] });
  expect(second.temporal.address).toBe(first.temporal.address);
  expect(second.databaseUrl).toBe(first.databaseUrl);
  expect(await query(second, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  const status = await withClient(second, (client) => client.workflow.getHandle('kept').describe());
  expect(status.type).toBe('kept');
});

test('stacks beside each other share nothing, and an ephemeral one leaves nothing', async () => {
  const options = { name: 'side', mode: 'ephemeral', log: () => undefined } as const;
  const [a, b] = await Promise.all([startStack(options), startStack(options)]);
  started.push(a, b);
  expect(a.folder).not.toBe(b.folder);
  expect(a.temporal.address).not.toBe(b.temporal.address);
  await query(a, 'CREATE TABLE mine ()');
  await expect(query(b, 'SELECT FROM mine')).rejects.toThrow('does not exist');
  const state = stateOf(a);
  await a.stop();
  expect([existsSync(a.folder), existsSync(state.postgresHome!), serversAlive(state)]).toEqual([false, false, 0]);
  expect(await query(b, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('one folder has one stack, also when two start at the same time', async () => {
  const outcomes = await Promise.allSettled([start({ mode: 'persistent' }), start({ mode: 'persistent' })]);
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(refused).toHaveLength(1);
  expect(refused[0]!.reason).toMatchObject({ code: 'STACK_RUNNING', message: expect.stringContaining(`process ${process.pid}`) });
  expect(runningStack({ name: 'tested', dataFolder: home })?.temporal?.address).toBe(started[0]!.temporal.address);
});

test('a folder with files of somebody else is refused and left alone', async () => {
  await writeFile(join(folder, 'thesis.txt'), 'precious');
  await expect(start({ mode: 'ephemeral' })).rejects.toMatchObject({ code: 'FOLDER_NOT_OURS' });
  expect(readdirSync(folder)).toEqual(['thesis.txt']);
});

test('without any Temporal the error names the remedies, and Postgres does not stay behind', async () => {
  const failure = await start({ mode: 'persistent', dataFolder: folder, env: { PATH: '/nowhere', XDG_CACHE_HOME: folder } }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'TEMPORAL_MISSING' });
  expect(String(failure)).toMatch(/1\. .*temporal.* on PATH[^]*2\. Install Go[^]*3\. Set TEMPORAL_ADDRESS/);
  expect(readState(folder)).toMatchObject({ servers: {} });
});

test('a port that somebody else takes while the server starts is no failure: it starts again on others', async () => {
  const panics = join(folder, 'panics');
  const stacks = Array.from({ length: 40 }, (_, at) => `github.com/spf13/cobra.(*Command).execute(0x${at})`).join('\n');
  await writeFile(
    panics,
    `time=2026-11-30T21:04:35.772 level=ERROR msg="Failed to start gRPC listener" error="listen tcp 127.0.0.1:43327: bind: address already in use" service=matching
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x20 pc=0x25f2689]

goroutine 1 [running]:
${stacks}
`,
  );
  const said = join(folder, 'said');
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(
    join(bin, 'temporal'),
    `#!/bin/sh
if [ -e ${said} ]; then exec ${findTemporal(process.env)} "$@"; fi
cp ${panics} ${said}; cat ${panics}; exit 2
`,
    { mode: 0o755 },
  );
  const stack = await start({
    mode: 'ephemeral',
    dataFolder: join(folder, 'stack'),
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
  });
  expect(existsSync(said)).toBe(true);
  await withClient(stack, (client) => client.workflow.start('w', { taskQueue: 'q', workflowId: 'w' }));
});

test('servers that the user names are used, and get what executions need', async () => {
  const theirs = await start({ mode: 'ephemeral' });
  const env = { ...process.env, TEMPORAL_ADDRESS: theirs.temporal.address, DATABASE_URL: theirs.databaseUrl };
  const ours = await start({ mode: 'ephemeral', dataFolder: join(folder, 'second'), namespaces: ['added'], env });
  expect(ours.temporal).toMatchObject({ address: theirs.temporal.address, namespace: 'default', external: true });
  expect(ours.databaseUrl).toBe(theirs.databaseUrl);
  expect(stateOf(ours).servers).toEqual({});
  const searchAttributes = { AutoFlowPipeline: ['x'], AutoFlowVersion: ['v1'], AutoFlowBackfill: ['b'] };
  await withClient(ours, (client) => client.workflow.start('w', { taskQueue: 'q', workflowId: 'w', searchAttributes }), 'added');
  await ours.stop();
  expect(await query(theirs, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a named server that does not answer is reported without its password', async () => {
  const nobody = '127.0.0.1:1';
  await expect(start({ mode: 'ephemeral', env: { ...process.env, TEMPORAL_ADDRESS: nobody } })).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    message: expect.stringContaining(nobody),
  });
  const failure = await start({ mode: 'ephemeral', env: { ...process.env, DATABASE_URL: `postgres://me:s3cret@${nobody}/db` } }).catch(
    String,
  );
  expect(failure).toContain(`The database at ${nobody}`);
  expect(failure).not.toContain('s3cret');
});

test('what a killed owner left behind is stopped, and its data used', async () => {
  const owner = await ownerProcess();
  await query({ databaseUrl: readState(home)!.databaseUrl! }, 'CREATE TABLE left_behind ()');
  const left = readState(home)!;
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(serversAlive(left)).toBe(2);
  expect(runningStack({ name: 'tested', dataFolder: home })).toBeUndefined();
  const next = await start({ mode: 'persistent' });
  expect(serversAlive(left)).toBe(0);
  await query(next, 'SELECT FROM left_behind');
});

test('another process can end a stack', async () => {
  const owner = await ownerProcess();
  const state = runningStack({ name: 'tested', dataFolder: home })!;
  const exited = once(owner, 'exit');
  expect(await stopStack({ name: 'tested', dataFolder: home })).toBe(true);
  await exited;
  expect(serversAlive(state)).toBe(0);
  expect(await stopStack({ name: 'tested', dataFolder: home })).toBe(false);
});

test('a stack whose owner takes its time is left alone, servers and all', async () => {
  const owner = await ownerProcess({ name: 'tested', mode: 'persistent', dataFolder: home }, process.env, 'finishing its work');
  const state = runningStack({ name: 'tested', dataFolder: home })!;
  await expect(stopStack({ name: 'tested', dataFolder: home }, 200)).rejects.toMatchObject({
    code: 'STILL_STOPPING',
    message: expect.stringContaining(`process ${owner.pid}`),
  });
  expect(serversAlive(state)).toBe(2);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(await stopStack({ name: 'tested', dataFolder: home })).toBe(true);
  expect(serversAlive(state)).toBe(0);
});

test.each(['', '..', 'a/b', 'a b', 'naïve', 'x'.repeat(65)])('%j is not the name of a stack', (name) => {
  expect(() => stackFolder({ name, dataFolder: folder })).toThrow(expect.objectContaining({ code: 'STACK_NAME' }));
});

test('an owner that exits without stopping takes its servers with it', async () => {
  const owner = await ownerProcess();
  const state = readState(home)!;
  owner.stdin!.end();
  await once(owner, 'exit');
  await expect.poll(() => serversAlive(state), { timeout: 15_000 }).toBe(0);
});

test('the owner hears of a server that ends by itself', async () => {
  const stack = await start({ mode: 'ephemeral' });
  process.kill(stateOf(stack).servers.temporal!.pid, 'SIGKILL');
  expect(await stack.lost).toMatchObject({ code: 'STACK_SERVER_LOST', message: expect.stringContaining('temporal') });
});

test('what is left of a killed ephemeral stack is swept by the next one', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: folder, PATH: `${dirname(findTemporal(process.env))}:${process.env['PATH']}` };
  const owner = await ownerProcess({ name: 'swept', mode: 'ephemeral' }, env);
  const folders = () => readdirSync(stacksFolder(env)).map((name) => join(stacksFolder(env), name));
  const left = readState(folders()[0]!)!;
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const next = await startStack({ name: 'swept', mode: 'ephemeral', env, log: () => undefined });
  started.push(next);
  expect(serversAlive(left)).toBe(0);
  expect(folders()).toEqual([next.folder]);
  expect(existsSync(left.postgresHome!)).toBe(false);
});

async function start(options: Partial<StackOptions> & Pick<StackOptions, 'mode'>): Promise<Stack> {
  const dataFolder = options.mode === 'persistent' ? home : folder;
  const stack = await startStack({ name: 'tested', dataFolder, log: () => undefined, ...options });
  started.push(stack);
  return stack;
}

/** A process that starts a stack, ends it cleanly on SIGTERM unless it has other work, and just exits when its standard input ends. */
async function ownerProcess(
  options: object = { name: 'tested', mode: 'persistent', dataFolder: home },
  env = process.env,
  otherWork?: string,
): Promise<ChildProcess> {
  const script = `
    import { startStack } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const stack = await startStack({ ...${JSON.stringify(options)}, log: () => {} });
    process.once('SIGTERM', () => ${otherWork ? `console.log(${JSON.stringify(otherWork)})` : 'stack.stop().then(() => process.exit())'});
    process.stdin.on('end', () => process.exit()).resume();
    console.log('up');`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'], env });
  await Promise.race([once(owner.stdout, 'data'), once(owner, 'exit').then(() => Promise.reject(new Error('the owner ended')))]);
  return owner;
}

function stateOf(stack: Stack): StackState {
  return readState(stack.folder)!;
}

function serversAlive({ servers }: StackState): number {
  return Object.values(servers).filter(isAlive).length;
}

async function query({ databaseUrl }: Pick<Stack, 'databaseUrl'>, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

async function withClient<T>({ temporal }: Stack, use: (client: Client) => Promise<T>, namespace = temporal.namespace): Promise<T> {
  const connection = await Connection.connect(temporal.connection);
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
