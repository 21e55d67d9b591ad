/** Ingest on the real Postgres of a test file. Temporal is not there at all, unless a test asks for it: records are accepted all the same. */
import { afterAll, beforeAll } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { Client, Connection } from '@temporalio/client';
import { createIngest, type Ingest, type IngestOptions } from '../ingest.js';
import { parcelsSpec, RELEASE } from './parcels.js';

export const NDJSON = { 'content-type': 'application/x-ndjson' };
export const RECORDS = '/v1/pipelines/parcels/records';

export interface TestIngest {
  readonly url: string;
  readonly store: Store;
  readonly databaseUrl: string;
  readonly tokens: { readonly operator: string; readonly viewer: string };
  /** As operator, unless `headers` say otherwise. A body that is text is sent as it is. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  start(options?: Partial<IngestOptions>): Promise<Ingest>;
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into it, and fail where it is not what they expect
  readonly json: any;
}

/** Call once at the top of a test file. The pipeline `parcels` has version v1. */
export function useIngest(): TestIngest {
  const stack = useTestStack();
  let ingest: TestIngest | undefined;
  const closings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    closings.push(() => store.close());
    const nowhere = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '1s' }) });
    const start = async (options: Partial<IngestOptions> = {}) => {
      const started = await createIngest({ store, temporal: nowhere, ...options });
      closings.unshift(() => started.close());
      return started;
    };
    await registerParcels(store);
    const tokens = {
      operator: await store.access.createToken('operator', 'operator'),
      viewer: await store.access.createToken('viewer', 'viewer'),
    };
    const { url } = await start({ bodyLimitBytes: 256 * 1024, lineLimitBytes: 4 * 1024 });
    const send: TestIngest['send'] = (method, path, body, headers) => sendTo(url + path, tokens.operator, method, body, headers);
    ingest = { url, store, databaseUrl: stack.databaseUrl, tokens, send, start };
  });
  afterAll(async () => {
    for (const close of closings) await close();
  });
  return new Proxy({} as TestIngest, { get: (_, name: keyof TestIngest) => ingest?.[name] });
}

export async function sendTo(
  url: string,
  token: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, text, json };
}

/** The lines of an NDJSON answer. */
export function linesIn({ text }: Answer): Answer['json'][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export function parcel(id: string, more: object = {}) {
  return { id, grams: 2000, town: 'Delft', ...more };
}
export function parcels(count: number, prefix: string) {
  return Array.from({ length: count }, (_, i) => parcel(`${prefix}-${i}`));
}
export function ndjson(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** As the first deploy of that pipeline does. */
export async function registerParcels(store: Store, pipeline = 'parcels'): Promise<void> {
  const topology = asWritten(parcelsSpec);
  const envelope = defaultEnvelope(parcelsSpec, topology);
  const allocation = defaultAllocation(parcelsSpec, topology, envelope);
  await store.definitions.registerRelease({
    release: { pipeline, hash: RELEASE, spec: { ...parcelsSpec, name: pipeline } },
    topology,
    envelope,
    allocation,
    by: { actor: 'tester', reason: 'because' },
  });
}
