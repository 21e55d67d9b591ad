import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';

/** What the global set-up (infra/test/global-setup.ts) answers when the first test file asks for the stack. */
export interface TestServers {
  readonly temporalAddress: string;
  /** A database with the schema, of which those of the files are copies; nobody else may be connected to it. */
  readonly databaseUrl: string;
  /** Registered namespaces; concurrent files never share one. */
  readonly namespaces: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the global set-up answers. The stack starts at the first request. */
    testStackUrl: string;
    /** Whether times that AutoFlow promises are asserted: only where nothing else runs (infra/test/faults.config.ts). Elsewhere they are printed. */
    assertTimes: boolean;
  }
}

/** Real servers for one test file. Read it in hooks and tests, not while the file is being loaded. */
export interface TestStack {
  /** A database of this file alone, dropped at the end: at first it has the schema and no row, or nothing. */
  readonly databaseUrl: string;
  /** A namespace that no file uses at the same time; workflows left open in it are terminated at the end. */
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** A folder of this file alone, removed at the end. */
  readonly folder: string;
}

export interface TestStackOptions {
  /** The database begins without the schema. */
  readonly empty?: boolean;
}

/** Call once at the top of a test file: gives it a database, a Temporal namespace and a folder of its own. */
export function useTestStack({ empty = false }: TestStackOptions = {}): TestStack {
  let stack: TestStack | undefined;
  let release: () => Promise<void> = async () => undefined;
  beforeAll(async () => {
    const servers = await testServers();
    const databaseUrl = await createDatabase(servers.databaseUrl, empty);
    const folder = await mkdtemp(join(tmpdir(), 'autoflow-test-'));
    const temporal = { address: servers.temporalAddress, namespace: ownNamespace(servers.namespaces) };
    stack = { databaseUrl, temporal, folder };
    release = async () => {
      await terminateOpenWorkflows(temporal);
      await dropDatabase(servers.databaseUrl, databaseUrl);
      await rm(folder, { recursive: true, force: true });
    };
  });
  afterAll(() => release());
  const ready = () => {
    if (stack === undefined) throw new Error('useTestStack(): the stack is ready in hooks and tests, not while the file is being loaded');
    return stack;
  };
  return {
    get databaseUrl() {
      return ready().databaseUrl;
    },
    get temporal() {
      return ready().temporal;
    },
    get folder() {
      return ready().folder;
    },
  };
}

async function testServers(): Promise<TestServers> {
  const url = inject('testStackUrl');
  if (!url) throw new Error('useTestStack() needs the global set-up: run vitest with --config infra/test/vitest.config.ts');
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The test stack did not start:\n${await answer.text()}`);
  return (await answer.json()) as TestServers;
}

/** Vitest numbers its workers from 1 up to maxWorkers; a number is never in use twice at the same time. */
function ownNamespace(namespaces: readonly string[]): string {
  const namespace = namespaces[Number(process.env['VITEST_POOL_ID']) - 1];
  if (namespace === undefined)
    throw new Error(`The test stack has ${namespaces.length} namespaces, fewer than vitest has workers: lower maxWorkers`);
  return namespace;
}

/** A copy: nearly every file would run the migrations. */
async function createDatabase(serverUrl: string, empty: boolean): Promise<string> {
  const name = `autoflow_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}${empty ? '' : ` TEMPLATE ${databaseOf(serverUrl)}`}`);
  return withDatabase(serverUrl, name);
}

const databaseOf = (url: string) => new URL(url).pathname.slice(1);

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** WITH (FORCE): a connection that a failed test left open must not keep the database. */
async function dropDatabase(serverUrl: string, databaseUrl: string): Promise<void> {
  await onServer(serverUrl, `DROP DATABASE IF EXISTS ${databaseOf(databaseUrl)} WITH (FORCE)`);
}

async function onServer(serverUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: withDatabase(serverUrl, 'postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function terminateOpenWorkflows({ address, namespace }: TestStack['temporal']): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    for await (const { workflowId, runId } of workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      await workflow
        .getHandle(workflowId, runId)
        .terminate('the test file has ended')
        .catch(() => undefined);
    }
  } finally {
    await connection.close();
  }
}
