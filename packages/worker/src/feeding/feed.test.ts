import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ExecutionArgument } from '@autoflow/topology';
import { executionActivities } from '../activities/execution-activities.js';
import { BY, PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import type { Versions } from '../versions.js';
import { feed } from './feed.js';

const context = useTwoReleases();

/** Feeds so many letters one by one, until all of them are open: nobody executes them. Answers their batches, in order. */
async function fed(id: string, count: number, versions: Versions, version?: string) {
  const { store, batches, client, sql, stack } = context;
  const path = join(stack.folder, `${id}.jsonl`);
  await writeFile(path, Array.from({ length: count }, (_, n) => `{"id":"${id}-${n}","town":"Delft"}\n`).join(''));
  const source = { kind: 'jsonl', path } as const;
  const row = await store.backfills.create(
    { id, pipeline: PIPELINE, scope: id, source, concurrency: count + 1, ...(version !== undefined && { version }) },
    BY,
  );
  const { settle } = executionActivities({ store, batches, versions, indexed: false });
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const feeding = feed(
    row,
    60_000,
    { store, batches, versions, client, settle, indexed: false, access: { secret: () => undefined } },
    stopping.signal,
  ).catch((error: unknown) => error);
  while ((await sql.query('select pg_sleep(0.02) from autoflow.backfills where id = $1 and cursor < $2', [id, count])).rowCount);
  const rows = await store.ledger.openBatches({ pipeline: PIPELINE, scope: id });
  const started = await Promise.all(rows.map(({ executionId }) => argumentOf(executionId)));
  stopping.abort();
  await feeding;
  return rows
    .map((batch, at) => ({ batch, argument: started[at]! }))
    .sort((a, b) => Number(a.batch.id.split('.').at(-1)) - Number(b.batch.id.split('.').at(-1)));
}

/** What the execution was started with, as soon as it is. */
async function argumentOf(executionId: string): Promise<ExecutionArgument> {
  for (;;) {
    const history = await context.client.workflow
      .getHandle(executionId)
      .fetchHistory()
      .catch(() => undefined);
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    if (payload) return JSON.parse(Buffer.from(payload).toString()) as ExecutionArgument;
    await context.sql.query('select pg_sleep(0.02)');
  }
}

it('opens no batch with the version from before a rollback, though it was resolved before', async () => {
  await context.setStable('v2');
  // The first time is for the source, the second for the first batch: the pointer moves while the third batch is being made.
  const opened = await fed('rolled-back', 6, context.movingPointer(4, 'v1'));
  expect(opened.map(({ batch }) => batch.version)).toEqual(['v2', 'v2', 'v1', 'v1', 'v1', 'v1']);
  expect(opened.map(({ argument }) => [argument.version, argument.release, argument.topology])).toEqual(
    await Promise.all(
      opened.map(async ({ batch }) => {
        const { version } = await context.versions.resolve(PIPELINE, batch.version);
        return [version.name, version.release, version.topology];
      }),
    ),
  );
  const fields = await Promise.all(opened.map(async ({ argument }) => (await context.batches.read(argument.batch))[0]?.fields));
  expect(fields).toEqual([
    { id: 'rolled-back-0', town: 'Delft' },
    { id: 'rolled-back-1', town: 'Delft' },
    // As the release that is stable now takes them.
    ...[2, 3, 4, 5].map((n) => ({ id: `rolled-back-${n}` })),
  ]);
});

it('opens every batch after the rollback has returned with the new version, whatever it was doing', async () => {
  await context.setStable('v2');
  const feeding = fed('raced', 40, context.versions);
  while ((await context.store.ledger.openBatches({ pipeline: PIPELINE, scope: 'raced' })).length < 5)
    await context.sql.query('select pg_sleep(0.002)');
  await context.setStable('v1');
  const before = (await context.store.ledger.openBatches({ pipeline: PIPELINE, scope: 'raced' })).filter(({ version }) => version === 'v2');
  const opened = await feeding;
  expect(opened.filter(({ batch }) => batch.version === 'v2').map(({ batch }) => batch.id)).toEqual(before.map(({ id }) => id));
  expect(opened).toHaveLength(40);
  expect(opened.map(({ argument }) => argument.version)).toEqual(opened.map(({ batch }) => batch.version));
});

it('stays with the version that the backfill names', async () => {
  await context.setStable('v1');
  const opened = await fed('named', 2, context.versions, 'v2');
  expect(opened.map(({ batch, argument }) => [batch.version, argument.version])).toEqual([
    ['v2', 'v2'],
    ['v2', 'v2'],
  ]);
});
