/** Records by ingest, end to end: no control plane runs here, and none is missed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIngestClient, type IngestClient } from '@autoflow/client';
import { createIngest, type Ingest } from '@autoflow/ingest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { BY, startPlatform, topologyOf, type Platform, untilRow } from './platform.js';

const stack = useTestStack();
let platform: Platform;
let ingest: Ingest;
let client: IngestClient;
beforeAll(async () => {
  platform = await startPlatform(stack);
  const version = await platform.registerVersion(
    topologyOf({ 'measure+may-pass+perform+weigh+store': [] }, { batch: { records: 50, bytes: 1024 * 1024 } }),
  );
  await platform.store.definitions.setStable({ pipeline: 'acts', version, by: BY });
  await platform.startWorker();
  ingest = await createIngest({ store: platform.store, temporal: platform.client });
  client = createIngestClient({ url: ingest.url, token: await platform.store.access.createToken('team', 'operator') });
});
afterAll(async () => {
  await ingest?.close();
  await platform?.stop();
});

it('takes records in and answers with their outcomes', async () => {
  const acts = [
    { id: 'i1', act: 'pass' },
    { id: 'i2', act: 'drop' },
    { id: 'i3', act: 'fail' },
  ];
  const { counts, results } = await client.records.submit('acts', acts, { waitS: 60 });
  expect(counts).toEqual({ accepted: 3, known: 0, conflict: 0, invalid: 0 });
  expect(results).toMatchObject([
    { key: 'i1', state: 'completed', output: expect.objectContaining({ id: 'i1' }) },
    { key: 'i2', state: 'filtered', filtered: { by: expect.any(String) } },
    { key: 'i3', state: 'dead', death: { code: expect.any(String) } },
  ]);
});

it('takes a stream, and every record of it gets its outcome', async () => {
  const lines = Array.from({ length: 400 }, (_, n) => (n === 200 ? 'rubbish' : { id: `s${n}`, act: 'pass' }));
  const statuses: string[] = [];
  for await (const { status } of client.records.submitAll('acts', lines)) statuses.push(status);
  expect([statuses.filter((status) => status === 'accepted').length, statuses[200]]).toEqual([399, 'invalid']);
  await untilRow(platform, `select 1 from autoflow.records where key like 's%' and state = 'completed' having count(*) = 399`);
  // What `why` tells of while records wait.
  const bounds = async () => (await platform.store.fleet.hosts()).map((host) => host.bounds?.['acts']);
  await expect.poll(bounds).toEqual([{ stable: expect.any(Number) }]);
});

it('says where a record is that runs, and what carried it', async () => {
  await platform.sql.query('delete from released');
  await client.records.submit('acts', { id: 'held', act: 'wait' });
  await untilRow(platform, `select 1 from attempts where id = 'held'`);
  const why = await client.records.why('acts', 'held');
  expect(why).toMatchObject({
    state: 'running',
    execution: { answered: true, records: 1 },
    stages: [{ name: 'measure+may-pass+perform+weigh+store', state: 'running', queue: expect.stringMatching(/^af\.acts\./) }],
    limits: [{ kind: 'pool', allowed: expect.any(Number) }],
  });
  expect(why.text).toMatch(/^running .+ in stage measure/);
  await platform.sql.query('insert into released values (true)');
  const [held] = (await client.records.submit('acts', { id: 'held', act: 'wait' }, { waitS: 60 })).results;
  expect(held).toMatchObject({ status: 'known', state: 'completed' });
  await expect.poll(async () => (await client.records.attempts('acts', 'held')).items).toMatchObject([{ outcome: 'ok', records: 1 }]);
});

it('says which queue an invocation waits in, and since when, while the pool takes no more', async () => {
  const stage = 'measure+may-pass+perform+weigh+store';
  const version = await platform.registerVersion(topologyOf({ [stage]: [] }, { batch: { records: 1, bytes: 1024 * 1024 } }), {
    [stage]: { memoryMb: 256, concurrency: 1 },
  });
  await platform.store.definitions.setStable({ pipeline: 'acts', version, by: BY });
  await platform.sql.query('delete from released');
  const records = ['one', 'other'].map((id) => ({ id, act: 'wait' }));
  await client.records.submit('acts', records);
  const whys = () => Promise.all(records.map(({ id }) => client.records.why('acts', id)));
  const states = async () => (await whys()).map(({ stages }) => stages?.[0]?.state).sort();
  await expect.poll(states, { timeout: 30_000 }).toEqual(['queued', 'running']);
  const waiting = (await whys()).find(({ text }) => text.startsWith('waiting'))!;
  const queue = `af.acts.${version}.${stage}.256`;
  expect(waiting).toMatchObject({ stages: [{ since: expect.any(String), queue }], limits: [{ kind: 'pool', name: queue, allowed: 1 }] });
  expect(waiting.text).toMatch(/^waiting .+ in stage measure.+: its pool runs 1 at once/);
  await platform.sql.query('insert into released values (true)');
  const { results } = await client.records.submit('acts', records, { waitS: 60 });
  expect(results!.map(({ state }) => state)).toEqual(['completed', 'completed']);
});

it('tells of records that came by COPY for a pipeline that is not there', async () => {
  await platform.sql.query(
    `insert into autoflow.landing (pipeline, record) values ('elsewhere', '{"id":"c1"}'), ('elsewhere', '{"id":"c2"}')`,
  );
  await expect(client.records.why('elsewhere', 'c1')).rejects.toMatchObject({
    code: 'PIPELINE_UNKNOWN',
    message: expect.stringMatching(/came for it by COPY wait until there is: 2, the first \d+ m?s old/),
  });
});
