import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { executionActivities } from '../activities/execution-activities.js';
import { BY, PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import { cancelOpen, OpenExecutions } from './executions.js';
import { feed, type FeedPorts } from './feed.js';

const context = useTwoReleases();

const portsOf = (client: Client): FeedPorts => {
  const { store, batches, versions } = context;
  const { settle } = executionActivities({ store, batches, versions, indexed: false });
  return { store, batches, versions, client, settle, indexed: false, access: { secret: () => undefined } };
};

/** A backfill of one letter, nobody feeds it yet. */
async function create(id: string, scope = id) {
  const path = join(context.stack.folder, `${id}.jsonl`);
  await writeFile(path, `{"id":"${id}","town":"Delft"}\n`);
  return context.store.backfills.create({ id, pipeline: PIPELINE, scope, source: { kind: 'jsonl', path }, concurrency: 1 }, BY);
}

/** The server's client, but a start waits for `may` first; `tried` resolves when one does. */
function startingWhen(may: Promise<void>, started: () => void): { client: Client; tried: Promise<void> } {
  let announce = () => {};
  const tried = new Promise<void>((resolve) => (announce = resolve));
  const workflow = new Proxy(context.client.workflow, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target);
      if (typeof found !== 'function') return found;
      if (name !== 'start') return found.bind(target) as unknown;
      return async (...args: unknown[]) => {
        announce();
        await may;
        const handle: unknown = await Reflect.apply(found, target, args);
        started();
        return handle;
      };
    },
  });
  const client = new Proxy(context.client, { get: (target, name) => (name === 'workflow' ? workflow : Reflect.get(target, name, target)) });
  return { client, tried };
}

const endless = (): AbortController => {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
};

it('has no start under way any more when feeding ends', async () => {
  const backfill = await create('leaving');
  const happened: string[] = [];
  let allow = () => {};
  const { client, tried } = startingWhen(new Promise<void>((resolve) => (allow = resolve)), () => happened.push('started'));
  const stopping = endless();
  const left = feed(backfill, 60_000, portsOf(client), stopping.signal).catch(() => happened.push('left'));
  await tried;
  stopping.abort();
  // Everything that could let the feed go without its start.
  await context.sql.query('select pg_sleep(0.1)');
  allow();
  await left;
  expect(happened).toEqual(['started', 'left']);
});

it('leaves the executions of another backfill alone, though they share the scope', async () => {
  const [one, other] = [await create('one', 'shared'), await create('other', 'shared')];
  const stopping = endless();
  const started = new Promise<void>((resolve) => {
    const { client } = startingWhen(Promise.resolve(), resolve);
    void feed(one, 60_000, portsOf(client), stopping.signal).catch(() => {});
  });
  await started;
  const ports = portsOf(context.client);
  await cancelOpen(other, ports, stopping.signal);
  const adopting = new OpenExecutions(other, ports, stopping.signal);
  await adopting.adopt();
  await adopting.room();
  const { events } = await context.client.workflow.getHandle(`${PIPELINE}/shared/one.0`).fetchHistory();
  expect(events?.filter((event) => event.workflowExecutionCancelRequestedEventAttributes)).toEqual([]);
  expect((await context.store.ledger.openBatches({ backfill: 'one' })).map(({ id }) => id)).toEqual(['one.0']);
  expect(await context.store.ledger.openBatches({ backfill: 'other' })).toEqual([]);
  stopping.abort();
});
