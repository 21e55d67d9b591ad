/** The demo from end to end, with a Temporal of its own, on a database that is there already: a user's, with a stable version of theirs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '@autoflow/client';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { useTestStack } from '@autoflow/local-stack/testing';
import { topology } from '@autoflow/retail-orders';
import { openStore, type Store } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { EXAMPLE_MODULE } from '../local/programs.js';
import { registerModule } from '../modules/register.js';
import { type AnyJson, start } from '../testing/spawn.js';

const stack = useTestStack();
let store: Store;
let controlPlane: ControlPlane;
beforeEach(async () => {
  store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  const connection = Connection.lazy({ address: stack.temporal.address });
  controlPlane = await createControlPlane({ store, temporal: new Client({ connection, namespace: stack.temporal.namespace }) });
});
afterEach(async () => {
  await controlPlane.close();
  await store.close();
});

test('both versions agree, the rollback holds, and the stable version is what it was', { timeout: 300_000 }, async () => {
  const client = createClient({ url: controlPlane.url, token: await store.access.createToken('admin', 'admin') });
  await registerModule(client, EXAMPLE_MODULE(), 'theirs');
  const { version: theirs } = await client.versions.register('retail-orders', { topology: topology('filter-early') } as never);
  const { revision } = await client.stable.show('retail-orders');
  await client.stable.set('retail-orders', { version: theirs.name, reason: 'theirs' }, revision);

  const file = join(stack.folder, 'report.json');
  const source = new URL('../../../retail-orders/data/invoices.csv', import.meta.url).pathname;
  const ended = await start(['demo', '--limit', '20', '--source', source, '--json', file], {
    DATABASE_URL: stack.databaseUrl,
    // Of another process: neither may reach the demo's.
    AUTOFLOW_ROLES: 'control',
    AUTOFLOW_BATCHES: 'nonsense',
    // What is ready says so, and not in its log.
    AUTOFLOW_LOG_LEVEL: 'error',
  }).ended;
  expect(ended).toMatchObject({ code: 0, stdout: '' });

  const report = JSON.parse(await readFile(file, 'utf8')) as AnyJson;
  const [before, after] = report.runs;
  const [written, better] = [before.version, after.version];
  expect(report).toMatchObject({
    equal: true,
    rollout: { carriedOut: true, shadow: { different: 0, compared: expect.any(Number) }, evaluations: expect.any(Number) },
    rollback: { from: better, to: written, after: { [written]: 20 }, held: true },
  });
  expect(report.rollout.steps).not.toEqual([]);
  expect(report.rollout.harm.records).toBeGreaterThan(0);
  expect(before.counts.completed + before.counts.filtered).toBe(20);
  expect(before.counts.dead + before.counts.cancelled).toBe(0);
  expect(after).toMatchObject({ digest: before.digest, sink: before.sink });
  expect(await client.versions.show('retail-orders', better)).toMatchObject({
    parent: written,
    proposal: { ratePerSecond: expect.any(Number) },
  });
  const { stable, candidate, holdout } = await client.arms.show('retail-orders');
  expect({ stable: stable.version, candidate, holdout }).toEqual({ stable: theirs.name, candidate: undefined, holdout: undefined });
});

test('Ctrl-C, twice, while it starts: it says so and leaves nothing', { timeout: 60_000 }, async () => {
  const { child, ended } = start(['demo', '--json'], {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporal.address,
    TEMPORAL_NAMESPACE: stack.temporal.namespace,
    XDG_CACHE_HOME: join(stack.folder, 'cache'),
  });
  await new Promise<void>((resolve) => child.stderr!.once('data', () => resolve()));
  child.kill('SIGINT');
  await new Promise<void>((resolve) => child.stderr!.on('data', (text: string) => text.includes('stopping') && resolve()));
  child.kill('SIGINT');
  const { code, stderr, json } = await ended;
  expect({ code, json }).toMatchObject({ code: 1, json: { error: { code: 'INTERRUPTED' } } });
  expect(stderr).toContain('stopping');
  expect(await readdir(join(stack.folder, 'cache', 'autoflow', 'stacks'), { recursive: true })).not.toContainEqual(
    expect.stringContaining('demo'),
  );
});
