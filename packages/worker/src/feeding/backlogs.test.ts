/** Who gets the room when there is more than may be open, against a real inbox; nobody executes, so that what is open stays open. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordDigest, type BatchRow, type BatchStore } from '@autoflow/store';
import type { ExecutionArgument } from '@autoflow/topology';
import { executionActivities } from '../activities/execution-activities.js';
import { describing, paused } from '../testing/describing.js';
import { BY, PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import { cancelAll } from './cancel-open.js';
import { startFeeder, type FeederOptions } from './feeder.js';
import { forestall } from './forestall.js';
import type { Clock } from './pace.js';
import { PipelineFeed } from './pipeline-feed.js';
import { pump } from './pump.js';
import { reconcile } from './reconciler.js';
import { startExecution, statusOf } from './starting.js';

const context = useTwoReleases();
/** Executions that a feed has open before it has seen one end. */
const BOUND = 8;

beforeEach(() => context.sql.query('truncate autoflow.inbox, autoflow.records, autoflow.batches, autoflow.backfills cascade'));

let letters = 0;
const newRecords = (count: number) =>
  Array.from({ length: count }, () => {
    const record = { id: `letter-${letters++}` };
    return { key: record.id, record, digest: recordDigest(record), bytes: 100 };
  });
const accept = (count: number, pipeline = PIPELINE) => context.store.inbox.accept({ pipeline, scope: 'live', records: newRecords(count) });

/** A running backfill of which so many records wait, each for a batch of its own. */
async function startBackfill(id: string, records: number, limits: { concurrency: number; maxShare?: number }): Promise<void> {
  const source = { kind: 'jsonl', path: 'x.jsonl' } as const;
  await context.store.backfills.create({ id, pipeline: PIPELINE, scope: id, source, batchRecords: 1, ...limits }, BY);
  await context.store.backfills.put({ id, from: 0, cursor: records, records: newRecords(records) });
}

/** A feed as a feeder that has just come has it, and what it opens. */
function newFeed() {
  const { store, batches, versions, client } = context;
  let opened: BatchRow[] = [];
  const start = (row: BatchRow, argument: ExecutionArgument) => {
    opened.push(row);
    starts.push(() => startExecution(row, argument, { client, versions, indexed: false }));
  };
  const starts: (() => Promise<void>)[] = [];
  const feed = new PipelineFeed(PIPELINE, { ...{ store, batches, versions, start }, leaseMs: 10_000, probeShare: 0 });
  return {
    /** One pass over what waits: how many batches it opened, by scope. */
    async pass(): Promise<{ [scope: string]: number }> {
      opened = [];
      await feed.pass(await store.feeder.streams());
      const counts: { [scope: string]: number } = {};
      for (const { scope } of opened) counts[scope] = (counts[scope] ?? 0) + 1;
      return counts;
    },
    versions: () => opened.map(({ version }) => version),
    opened: () => opened,
    /** The starts of what it has opened, each for when its feeder comes to it. */
    starts,
  };
}

/** So many executions end, of those that are open, in the window of a feed that looks. */
const end = (count: number, scope = 'live') =>
  context.sql.query(
    `update autoflow.batches set state = 'closed', closed_at = now() + interval '1 hour'
      where id in (select id from autoflow.batches where scope = $2 and state = 'open' limit $1)`,
    [count, scope],
  );
function aPromise<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((resolved) => (resolve = resolved));
  return { promise, resolve };
}

const waiting = async (pipeline: string) => (await context.store.inbox.waiting(pipeline)).records;

describe('a feed', () => {
  it('has so much open and leaves the backlog unassigned, so that it follows the pointer, at once', async () => {
    await context.setStable('v1');
    await accept(40);
    expect(await newFeed().pass()).toEqual({ live: BOUND });
    expect(await newFeed().pass()).toEqual({});
    expect(await waiting(PIPELINE)).toBe(40 - BOUND);
    const { rows } = await context.sql.query('select distinct state, version from autoflow.records');
    expect(rows).toEqual([{ state: 'running', version: 'v1' }]);
    await context.setStable('v2');
    const feed = newFeed();
    expect(await feed.pass()).toEqual({ live: BOUND });
    expect(new Set(feed.versions())).toEqual(new Set(['v2']));
    expect(await newFeed().pass()).toEqual({});
    expect(await waiting(PIPELINE)).toBe(40 - 2 * BOUND);
    await context.setStable('v1');
  });

  it('gives no room to a backfill while live records wait, also where there is room for both', async () => {
    await startBackfill('later', 20, { concurrency: 3, maxShare: 1 });
    await accept(18);
    const feed = newFeed();
    expect(await feed.pass()).toEqual({ live: BOUND });
    expect(await feed.pass()).toEqual({});
    await end(BOUND);
    // They ended well and were too few: twice as many may be open, of which one turn takes half.
    expect(await feed.pass()).toEqual({ live: 8 });
    expect(await feed.pass()).toEqual({ live: 2, later: 3 });
  });

  it('gives backfills their share of the room, all of them together, and each no more than its concurrency', async () => {
    await startBackfill('a', 20, { concurrency: 50, maxShare: 0.25 });
    expect(await newFeed().pass()).toEqual({ a: BOUND / 4 });
    await startBackfill('b', 20, { concurrency: 50, maxShare: 0.25 });
    expect(await newFeed().pass()).toEqual({});
    await end(1, 'a');
    expect(Object.values(await newFeed().pass())).toEqual([1]);
    await startBackfill('c', 20, { concurrency: 3, maxShare: 1 });
    expect(await newFeed().pass()).toEqual({ c: 3 });
    await accept(20);
    expect(await newFeed().pass()).toEqual({ live: BOUND - 2 - 3 });
  });
});

describe('a feeder', () => {
  interface Own {
    readonly batches?: BatchStore;
    readonly client?: Client;
    readonly opened: (row: BatchRow) => void;
  }
  const start = ({ batches = context.batches, client = context.client, opened }: Own, probes: FeederOptions = { probeShare: 0 }) => {
    const { store, versions } = context;
    const { settle } = executionActivities({ store, batches, versions, indexed: false });
    const ports = { ...{ store, client, versions, batches, settle, opened }, indexed: false, log: () => {} };
    return startFeeder(ports, { ...probes, unattendedMs: 600_000 });
  };

  it('feeds each pipeline up to its bound, whatever the backlog of another one', async () => {
    await context.register('cards');
    await accept(60);
    await accept(60, 'cards');
    const counts = { [PIPELINE]: 0, cards: 0 };
    const both = aPromise();
    const feeder = await start({
      opened: ({ pipeline }) => {
        counts[pipeline as 'cards']++;
        if (Object.values(counts).every((count) => count === BOUND)) both.resolve();
      },
    });
    await both.promise;
    await feeder.close();
    expect(counts).toEqual({ [PIPELINE]: BOUND, cards: BOUND });
    expect([await waiting(PIPELINE), await waiting('cards')]).toEqual([60 - BOUND, 60 - BOUND]);
  });

  it('feeds a pipeline while the batch of another one is being written', async () => {
    await context.register('cards');
    const { batches, writing, mayWrite } = slowToWrite();
    const opened = aPromise();
    await accept(1);
    const feeder = await start({ batches, opened: ({ pipeline }) => pipeline === 'cards' && opened.resolve() });
    await writing.promise;
    await accept(1, 'cards');
    await opened.promise;
    expect(await waiting(PIPELINE)).toBe(1);
    mayWrite.resolve();
    await feeder.close();
    expect(await waiting(PIPELINE)).toBe(0);
  });

  it('passes over what another one is claiming, and feeds what is left', async () => {
    const { batches, writing, mayWrite } = slowToWrite();
    const bothDone = aPromise();
    const [bySlow, byFast]: [BatchRow[], BatchRow[]] = [[], []];
    const note = (into: BatchRow[]) => (row: BatchRow) => {
      into.push(row);
      if (byFast.length === 5) mayWrite.resolve();
      if (bySlow.length + byFast.length === 6) bothDone.resolve();
    };
    await accept(6);
    const feeders = [await start({ batches, opened: note(bySlow) })];
    await writing.promise;
    feeders.push(await start({ opened: note(byFast) }));
    await bothDone.promise;
    await Promise.all(feeders.map((feeder) => feeder.close()));
    const keys = await Promise.all([...bySlow, ...byFast].map(async ({ ref }) => (await context.batches.read(ref)).map(({ key }) => key)));
    expect([bySlow.length, byFast.length, new Set(keys.flat()).size]).toEqual([1, 5, 6]);
  });

  it('makes probes of a twentieth of the batches unless it is told otherwise', async () => {
    for (const [random, probe] of [
      [0.0499, true],
      [0.05, undefined],
    ] as const) {
      await accept(1);
      const opened = aPromise<BatchRow>();
      const feeder = await start({ opened: opened.resolve }, { random: () => random });
      expect((await opened.promise).probe).toBe(probe);
      await feeder.close();
    }
  });

  it('drains: what it is opening when it is told to close is started, and nothing after that is opened', async () => {
    const { batches, writing, mayWrite } = slowToWrite();
    await accept(1);
    const opened: BatchRow[] = [];
    const order: string[] = [];
    const feeder = await start({ batches, client: slowToStart(() => order.push('started')), opened: (row) => void opened.push(row) });
    await writing.promise;
    await accept(20);
    const closing = feeder.close().then(() => order.push('closed'));
    // The claim is still under way: its record is in nobody's books.
    expect([await waiting(PIPELINE), order]).toEqual([21, []]);
    mayWrite.resolve();
    await closing;
    expect(order).toEqual([...opened.map(() => 'started'), 'closed']);
    const open = await context.store.ledger.openBatches({ pipeline: PIPELINE });
    expect(open.map(({ id }) => id).sort()).toEqual(opened.map(({ id }) => id).sort());
    expect(await Promise.all(open.map(({ executionId }) => statusOf(executionId, context.client)))).toEqual(open.map(() => 'RUNNING'));
    expect(await waiting(PIPELINE)).toBe(21 - open.length);
    expect(open.length).toBeLessThanOrEqual(BOUND);
  });

  /** The store itself, that writes no batch of the pipeline until it may. */
  function slowToWrite() {
    const [writing, mayWrite] = [aPromise(), aPromise()];
    const write: BatchStore['write'] = async (where, states) => {
      if (where.pipeline === PIPELINE) {
        writing.resolve();
        await mayWrite.promise;
      }
      return context.batches.write(where, states);
    };
    return { batches: { ...context.batches, write }, writing, mayWrite };
  }

  /** The server itself, that takes its time for the answer. */
  function slowToStart(started: () => void): Client {
    const start: Client['workflow']['start'] = async (...of: Parameters<Client['workflow']['start']>) => {
      const handle = await context.client.workflow.start(...of);
      await context.sql.query('select pg_sleep(0.05)');
      started();
      return handle as never;
    };
    const workflow = Object.assign(Object.create(context.client.workflow) as Client['workflow'], { start });
    return Object.create(context.client, { workflow: { value: workflow } }) as Client;
  }
});

function portsWith(client: Client) {
  const { store, versions, batches } = context;
  const { settle } = executionActivities({ store, batches, versions, indexed: false });
  return { ...{ store, client, versions, batches, settle }, indexed: false, log: () => {} };
}

describe('what is taken back before it was started', () => {
  const status = ({ executionId }: BatchRow) => statusOf(executionId, context.client);

  /** A batch that is open, whose feeder has not come to start it. */
  async function openOne(): Promise<{ row: BatchRow; start: () => Promise<void> }> {
    const feed = newFeed();
    await feed.pass();
    return { row: feed.opened()[0]!, start: feed.starts[0]! };
  }

  it('is never run, also when its start comes through afterwards', async () => {
    await accept(1);
    const { row, start } = await openOne();
    await context.store.feeder.abort(PIPELINE, row.version);
    await reconcile(portsWith(context.client), 600_000);
    expect(await waiting(PIPELINE)).toBe(1);
    await start();
    expect(await status(row)).toBe('forestalled');
  });

  it('waits again as it did before, with its deadline and its trace', async () => {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const records = newRecords(1).map((record) => ({ ...record, withinMs: 600_000 }));
    await context.store.inbox.accept({ pipeline: PIPELINE, scope: 'live', records, trace });
    const waits = async () =>
      (await context.sql.query('select arrived_at, due_at, trace, record, digest, bucket from autoflow.inbox')).rows;
    const before = await waits();
    const { row } = await openOne();
    await context.store.feeder.abort(PIPELINE, row.version);
    await reconcile(portsWith(context.client), 600_000);
    expect(await waits()).toEqual(before);
    expect(before).toMatchObject([{ trace, due_at: expect.any(Date) }]);
  });

  it('is taken back by the next reconciler, when the first one has only come to take its id', async () => {
    await accept(1);
    const { row } = await openOne();
    await forestall(row, context.client);
    expect([await status(row), await forestall(row, context.client)]).toEqual(['forestalled', true]);
    await context.store.feeder.abort(PIPELINE, row.version);
    await reconcile(portsWith(context.client), 600_000);
    expect([(await context.store.ledger.batch(row.id))?.state, await waiting(PIPELINE)]).toEqual(['closed', 1]);
  });

  it('is ended first, when it has been started since the reconciler looked', async () => {
    await accept(1);
    const { row, start } = await openOne();
    await context.store.feeder.abort(PIPELINE, row.version);
    await reconcile(portsWith(startedSinceItLooked(start)), 600_000);
    expect([await status(row), await waiting(PIPELINE)]).toEqual(['TERMINATED', 1]);
  });

  it('is cancelled with its backfill and never run, also when its start comes through afterwards', async () => {
    await startBackfill('called-off', 1, { concurrency: 1, maxShare: 1 });
    const { row, start } = await openOne();
    await context.store.backfills.setState('called-off', 'cancelled', BY);
    await cancelAll((await context.store.backfills.get('called-off'))!, portsWith(context.client), new AbortController().signal);
    expect((await context.store.ledger.batch(row.id))?.counts).toMatchObject({ cancelled: 1 });
    await start();
    expect(await status(row)).toBe('forestalled');
  });

  /** Right after the server has said for the first time that there is no such execution, there is. */
  function startedSinceItLooked(start: () => Promise<void>): Client {
    let first = true;
    return describing(context.client, (real) => real().finally(() => (first ? ((first = false), start()) : undefined)));
  }
});

it('what timed out is run again, and what it carried is not dead', async () => {
  await accept(1);
  const feed = newFeed();
  await feed.pass();
  const [{ executionId }] = feed.opened() as [BatchRow];
  const options = { taskQueue: 'nobody', workflowId: executionId, workflowExecutionTimeout: '1s' } as const;
  await expect((await context.client.workflow.start(PIPELINE, options)).result()).rejects.toThrow();
  expect(await statusOf(executionId, context.client)).toBe('TIMED_OUT');
  await reconcile(portsWith(context.client), 0);
  expect(await feed.pass()).toEqual({ live: 1 });
  expect((await context.sql.query('select state, feeds from autoflow.records')).rows).toEqual([{ state: 'running', feeds: 2 }]);
});

it('a backfill that is cancelled does not settle what is paused', async () => {
  await startBackfill('on-hold', 1, { concurrency: 1, maxShare: 1 });
  const feed = newFeed();
  await feed.pass();
  await feed.starts[0]!();
  await context.store.backfills.setState('on-hold', 'cancelled', BY);
  const [{ id }] = feed.opened() as [BatchRow];
  const ports = portsWith(paused(context.client));
  const once = cancelAll((await context.store.backfills.get('on-hold'))!, ports, AbortSignal.abort(new Error('looked once')));
  await expect(once).rejects.toThrow('looked once');
  expect((await context.store.ledger.batch(id))?.state).toBe('open');
});

describe('a pump', () => {
  /** Time passes when somebody sleeps, or is told to. */
  class TestClock implements Clock {
    #now = 0;
    now = () => this.#now;
    pass = (ms: number) => void (this.#now += ms);
    sleep = (ms: number) => Promise.resolve(this.pass(ms));
  }

  it('takes no more of its source than the rate says, and does not make up for time that was lost', async () => {
    const { store, versions, stack } = context;
    const path = join(stack.folder, 'paced.jsonl');
    await writeFile(
      path,
      newRecords(12)
        .map(({ record }) => `${JSON.stringify(record)}\n`)
        .join(''),
    );
    const limits = { concurrency: 2, batchRecords: 2, rate: 20 };
    const backfill = await store.backfills.create(
      { id: 'paced', pipeline: PIPELINE, scope: 'paced', source: { kind: 'jsonl', path }, ...limits },
      BY,
    );
    const clock = new TestClock();
    const puts: number[] = [];
    const backfills: typeof store.backfills = {
      ...store.backfills,
      async put(portion) {
        puts.push(clock.now());
        const row = await store.backfills.put(portion);
        // All that waits has an outcome, the third portion after ten seconds.
        await store.backfills.cancelWaiting(row.id);
        if (puts.length === 3) clock.pass(10_000);
        return row;
      },
    };
    const ports = { store: { ...store, backfills }, versions, access: { secret: () => undefined }, clock };
    expect(await pump(backfill, 3_600_000, ports, new AbortController().signal)).toBe(true);
    expect(puts).toEqual([0, 100, 200, 10_200, 10_300, 10_400]);
  });
});
