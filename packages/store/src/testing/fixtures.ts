/** What the tests of this package share. */
import type { Outcome, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { Allocation, Envelope, Topology } from '@autoflow/topology';
import { useTestStack, type TestStack } from '@autoflow/local-stack/testing';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { openStore } from '../open-store.js';
import type { BatchLedger, BatchRow } from '../ledger.model.js';
import type { Store } from '../model.js';

export const by = { actor: 'tester', reason: 'because' };
export const topology: Topology = {
  stages: [
    { name: 'parse', nodes: ['parse'], after: [], partitions: 1 },
    { name: 'store', nodes: ['store'], after: ['parse'], partitions: 1 },
  ],
  batch: { records: 1, bytes: 1024 },
  lingerMs: 0,
};
export const envelope: Envelope = {
  parse: { memoryMb: [128, 256], concurrency: { min: 1, max: 8 } },
  store: { memoryMb: [128, 256], concurrency: { min: 1, max: 8 } },
};
export const allocation: Allocation = { parse: { memoryMb: 128, concurrency: 2 }, store: { memoryMb: 256, concurrency: 3 } };

export function specOf(name: string): PipelineSpec {
  return { name, key: 'id', input: ['id'], output: ['id'], nodes: [], resources: [], schemas: { input: {}, output: {} } };
}

/** A store of this file alone, migrated, and a connection beside it for looking and for doing harm. */
export function useTestStore(): { readonly store: Store; readonly sql: pg.Client; readonly stack: TestStack } {
  const stack = useTestStack();
  let store: Store;
  let sql: pg.Client;
  beforeAll(async () => {
    store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    sql = await connect(stack.databaseUrl);
  });
  afterAll(async () => {
    await sql.end();
    await store.close();
  });
  return {
    stack,
    get store() {
      return store;
    },
    get sql() {
      return sql;
    },
  };
}

export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** Version v1 of a pipeline of that name, stable. */
export async function registerPipeline(store: Store, pipeline: string): Promise<void> {
  await store.definitions.registerRelease({
    release: { pipeline, hash: 'r1', spec: specOf(pipeline) },
    topology,
    envelope,
    allocation,
    by,
  });
}

export function recordsOf(keys: readonly string[]): RecordState[] {
  return keys.map((key, index) => ({ index, key, arrivedAt: '2026-01-02T03:04:05.678Z', fields: { id: key } }));
}

export function keysOf(count: number, prefix = 'k'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

export function batchOf(pipeline: string, id: string, scope = 'live'): Omit<BatchRow, 'state' | 'openedAt' | 'closedAt' | 'counts'> {
  const ref = { ref: `file:${id}`, bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } };
  return { id, pipeline, version: 'v1', release: 'r1', scope, executionId: `e-${id}`, ref, memoryMb: { parse: [128], store: [256] } };
}

export function openingOf(pipeline: string, id: string, keys: readonly string[], scope = 'live'): Parameters<BatchLedger['open']>[0] {
  return { batch: batchOf(pipeline, id, scope), records: recordsOf(keys), replace: false };
}

export function completed(keys: readonly string[]): Outcome[] {
  return keys.map((key) => ({ state: 'completed', key, output: { id: key, doubled: key + key } }));
}

export const inputsOf = (keys: readonly string[]) => new Map(keys.map((key) => [key, { id: key }]));

/** Resolves when `work` waits for a lock that somebody else holds, with the id of its server process. */
export async function untilBlocked(sql: pg.Client, statement: string): Promise<number> {
  for (;;) {
    const { rows } = await sql.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
      [`%${statement}%`],
    );
    if (rows[0] !== undefined) return rows[0].pid;
    await new Promise(setImmediate);
  }
}
