/** A pipeline in two releases, v1 of the one and v2 of the other, on the real servers of a test file. Nobody executes it. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { useTestStack, type TestStack } from '@autoflow/local-stack/testing';
import { defineFunction, definePipeline, specOf, type PipelineSpec } from '@autoflow/pipeline';
import { openStore, type BatchStore, type Store } from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { versionsOf, type Versions } from '../versions.js';

export const BY = { actor: 'test', reason: 'a test' };
export const PIPELINE = 'letters';

export interface TwoReleases {
  readonly stack: TestStack;
  readonly store: Store;
  readonly batches: BatchStore;
  readonly client: Client;
  readonly sql: pg.Pool;
  readonly versions: Versions;
  setStable(version: 'v1' | 'v2'): Promise<unknown>;
  /** Another pipeline, of which all there is is v1. */
  register(pipeline: string): Promise<unknown>;
  /** Moves the pointer right after the `nth` time that a version was resolved: what was resolved is stale when it is used. */
  movingPointer(nth: number, to: 'v1' | 'v2'): Versions;
}

/** Call once at the top of a test file. */
export function useTwoReleases(): TwoReleases {
  const stack = useTestStack();
  let made: TwoReleases | undefined;
  const closings: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    const batches = openBatchStore({ driver: 'file', folder: join(stack.folder, 'batches') });
    const connection = await Connection.connect({ address: stack.temporal.address });
    const sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 1 });
    closings.push(
      () => sql.end(),
      () => connection.close(),
      () => batches.close(),
      () => store.close(),
    );
    await registerRelease(store, 'a'.repeat(64), specOfLetters(PIPELINE));
    await registerRelease(store, 'b'.repeat(64), specWithTown);
    const versions = versionsOf(store);
    const register = (pipeline: string) => registerRelease(store, 'a'.repeat(64), specOfLetters(pipeline));
    const setStable = (version: string) => store.definitions.setStable({ pipeline: PIPELINE, version, by: BY });
    const movingPointer = (nth: number, to: string): Versions => {
      let calls = 0;
      return {
        async resolve(pipeline, version) {
          const resolved = await versions.resolve(pipeline, version);
          if (++calls === nth) await setStable(to);
          return resolved;
        },
      };
    };
    const client = new Client({ connection, namespace: stack.temporal.namespace });
    made = { stack, store, batches, client, sql, versions, setStable, register, movingPointer };
  });
  afterAll(async () => {
    for (const close of closings) await close();
  });
  return new Proxy({} as TwoReleases, { get: (_, name: keyof TwoReleases) => made?.[name] });
}

async function registerRelease(store: Store, hash: string, spec: PipelineSpec): Promise<void> {
  const topology = asWritten(spec);
  const envelope = defaultEnvelope(spec, topology);
  const allocation = defaultAllocation(spec, topology, envelope);
  await store.definitions.registerRelease({ release: { pipeline: spec.name, hash, spec }, topology, envelope, allocation, by: BY });
}

const stamp = defineFunction('stamp', {
  effect: 'pure',
  reads: z.object({ id: z.string() }),
  writes: z.object({ stamped: z.boolean() }),
  handle: () => ({ stamped: true }),
});
const output = z.object({ id: z.string(), stamped: z.boolean() });
const specOfLetters = (pipeline: string) =>
  specOf(definePipeline(pipeline, { input: z.object({ id: z.string() }), key: 'id', output }, (letter) => stamp(letter)));
const specWithTown = specOf(
  definePipeline(PIPELINE, { input: z.object({ id: z.string(), town: z.string() }), key: 'id', output }, (letter) => stamp(letter)),
);
