/** A control plane on the real Postgres and Temporal of a test file. */
import { afterAll, beforeAll } from 'vitest';
import { createClient, type AutoFlowClient, type Problem } from '@autoflow/client';
import { useTestStack } from '@autoflow/local-stack/testing';
import { openStore, type Store } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from '../control-plane.js';
import { parcelsSpec, RELEASE } from './parcels.js';

export interface Api {
  readonly url: string;
  readonly store: Store;
  readonly temporal: Client;
  readonly admin: AutoFlowClient;
  readonly operator: AutoFlowClient;
  readonly viewer: AutoFlowClient;
  /** As admin, unless `headers` say otherwise. */
  send(method: string, path: string, options?: { headers?: Record<string, string>; body?: unknown; raw?: string }): Promise<Answer>;
  start(options?: Partial<ControlPlaneOptions>): Promise<ControlPlane>;
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly problem: Problem;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into it, and fail where it is not what they expect
  readonly json: any;
}

/** Call once at the top of a test file. The pipeline `parcels` is registered as written. */
export function useApi(): Api {
  const stack = useTestStack();
  let api: Api | undefined;
  const closings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    const connection = await Connection.connect({ address: stack.temporal.address });
    const temporal = new Client({ connection, namespace: stack.temporal.namespace });
    closings.push(
      () => store.close(),
      () => connection.close(),
    );
    const start = async (options: Partial<ControlPlaneOptions> = {}) => {
      const controlPlane = await createControlPlane({ store, temporal, ...options });
      closings.unshift(() => controlPlane.close());
      return controlPlane;
    };
    const { url } = await start({ bodyLimitBytes: 64 * 1024 });
    const tokens = { admin: '', operator: '', viewer: '' };
    for (const role of ['admin', 'operator', 'viewer'] as const) tokens[role] = await store.access.createToken(role, role);
    const clientOf = (role: keyof typeof tokens) => createClient({ url, token: tokens[role] });
    const send: Api['send'] = (method, path, options = {}) => sendTo(url, tokens.admin, method, path, options);
    api = { url, store, temporal, start, send, admin: clientOf('admin'), operator: clientOf('operator'), viewer: clientOf('viewer') };
    await api.admin.pipelines.register({ spec: parcelsSpec, release: RELEASE });
  });
  afterAll(async () => {
    for (const close of closings) await close();
  });
  return new Proxy({} as Api, { get: (_, name: keyof Api) => api?.[name] });
}

async function sendTo(
  url: string,
  token: string,
  method: string,
  path: string,
  { headers, body, raw }: NonNullable<Parameters<Api['send']>[2]>,
): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(raw !== undefined ? { body: raw } : body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, problem: json, json };
}
