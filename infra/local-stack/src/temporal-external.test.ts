/** What a stack asks of a Temporal server that the user named. */
import { join } from 'node:path';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { afterEach, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.js';
import { prepareExternal } from './temporal-external.js';
import { useTestStack } from './testing.js';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

const servers = useTestStack();
const started: Stack[] = [];
const connections: Connection[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((stack) => stack.stop()));
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});

test('a namespace that the server does not have is named, with what to do', async () => {
  await expect(start({ TEMPORAL_NAMESPACE: 'nowhere' })).rejects.toMatchObject({
    code: 'TEMPORAL_NAMESPACE',
    message: expect.stringContaining('temporal operator namespace create --namespace nowhere'),
  });
});

test('a namespace that the worker of another stack serves is refused, and taken once that worker has ended', async () => {
  const { connection, namespace } = await theirs();
  const taskQueue = { name: 'autoflow' };
  const poll = () =>
    connection.withDeadline(Date.now() + 30_000, () =>
      connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'their-worker' }),
    );
  /** It ends with the first task that it gets. */
  const ended = (async () => {
    while ((await poll()).taskToken.length === 0);
  })();
  const listed = async () => {
    const { pollers } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType: 1 });
    return pollers?.some(({ identity }) => identity === 'their-worker');
  };
  await expect.poll(listed).toBe(true);
  const failure = await start().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'STACK_SHARED' });
  expect(String(failure)).toMatch(
    /their-worker serves[^]*1\. Set TEMPORAL_NAMESPACE[^]*2\. Stop that worker[^]*3\. Unset TEMPORAL_ADDRESS/,
  );
  await ended;
  expect(await listed()).toBe(true);
  expect((await start()).temporal).toMatchObject({ external: true, namespace });
});

test('a server that refuses to be looked at by this user is used all the same, and the log says what it refused', async () => {
  const { address, namespace } = servers.temporal;
  const log: string[] = [];
  const connection = { address, interceptors: [refusing('ListSearchAttributes', 'DescribeNamespace', 'DescribeTaskQueue')] };
  await prepareExternal({ connection, namespace }, [], (line) => log.push(line));
  expect(log).toEqual([
    expect.stringMatching(/does not describe namespace .*PERMISSION_DENIED/),
    expect.stringMatching(/does not tell who serves task queue autoflow .*PERMISSION_DENIED/),
    expect.stringMatching(/does not list the search attributes .*PERMISSION_DENIED.*AutoFlowPipeline/),
  ]);
});

test('a namespace that this user may not create is reported as such', async () => {
  const { address, namespace } = servers.temporal;
  const connection = { address, interceptors: [refusing('RegisterNamespace')] };
  await expect(prepareExternal({ connection, namespace }, ['more'], () => undefined)).rejects.toMatchObject({ code: 'TEMPORAL_NAMESPACE' });
});

/** The real server, seen by a user whose role lacks these calls. */
function refusing(...methods: string[]): Interceptor {
  return (options, nextCall) => {
    if (methods.some((method) => options.method_definition.path.endsWith(`/${method}`)))
      throw Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized.'), { code: 7 });
    return nextCall(options) as ReturnType<Interceptor>;
  };
}

async function start(env: NodeJS.ProcessEnv = {}): Promise<Stack> {
  const { address, namespace } = servers.temporal;
  const stack = await startStack({
    name: 'external',
    mode: 'ephemeral',
    dataFolder: join(servers.folder, 'stack'),
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, DATABASE_URL: servers.databaseUrl, ...env },
    log: () => undefined,
  });
  started.push(stack);
  return stack;
}

async function theirs(): Promise<{ connection: Connection; namespace: string }> {
  const connection = await Connection.connect({ address: servers.temporal.address });
  connections.push(connection);
  return { connection, namespace: servers.temporal.namespace };
}
