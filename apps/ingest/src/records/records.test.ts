import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { Attempts, IngestRecord, IngestRecordPage, Problem, Why } from '@autoflow/client/schemas';
import { SensitiveFields } from '@autoflow/http';
import { recordDigest, type Store } from '@autoflow/store';
import { parcel, parcels, RECORDS, useIngest } from '../testing/ingest.js';
import { claimAll, complete } from '../testing/run.js';
import type { Executions } from '../ports.js';
import { WhyController } from '../why/why.controller.js';
import { listRecords } from './list.js';
import { RecordsController } from './records.controller.js';

const ingest = useIngest();
const BY = { actor: 'tester', reason: 'because' };
const get = (path: string) => ingest.send('GET', RECORDS + path);
const cancel = (key: string, scope: string) => ingest.send('POST', `${RECORDS}/${key}:cancel?scope=${scope}`);
const submit = (scope: string, body: unknown, query = '') => ingest.send('POST', `${RECORDS}?scope=${scope}${query}`, body);

describe('records of a scope', () => {
  beforeAll(async () => {
    await submit('mixed', [parcel('b/1'), parcel('d')]);
    await complete(ingest.store, await claimAll(ingest.store, 'mixed'));
    await submit('mixed', [parcel('a'), parcel('c'), parcel('\u{1f4e6}'), parcel('\uffee')]);
  });

  test('are one list by key, wherever they are, page by page', async () => {
    const seen: string[] = [];
    for (let next: string | undefined = ''; next !== undefined;) {
      const page: IngestRecordPage = IngestRecordPage.parse(
        (await get(`?scope=mixed&limit=2${next && `&cursor=${encodeURIComponent(next)}`}`)).json,
      );
      seen.push(...page.items.map(({ key, state }) => `${key} ${state}`));
      next = page.next;
    }
    expect(seen).toEqual(['a waiting', 'b/1 completed', 'c waiting', 'd completed', '\uffee waiting', '\u{1f4e6} waiting']);
    const keys = async (state: string) => (await get(`?scope=mixed&state=${state}`)).json.items.map(({ key }: { key: string }) => key);
    expect([await keys('waiting'), await keys('completed'), await keys('dead')]).toEqual([
      ['a', 'c', '\uffee', '\u{1f4e6}'],
      ['b/1', 'd'],
      [],
    ]);
    expect((await get('')).json.items).toEqual([]);
    const found = async (query: string) => (await get(`?scope=mixed&${query}`)).json.items.map(({ key }: { key: string }) => key);
    const [{ endedAt }] = (await get('?scope=mixed&state=completed')).json.items;
    expect(await found(`since=${endedAt}&limit=2`)).toEqual(['a', 'b/1']);
    const after = new Date(Date.parse(endedAt) + 1).toISOString();
    expect(await found(`since=${after}`)).toEqual(['a', 'c', '\uffee', '\u{1f4e6}']);
    expect(await found('reason=none')).toEqual([]);
  });

  test('are all seen, as they are then, though they are claimed while the page is read', async () => {
    const { store } = ingest;
    for (const when of ['before', 'after']) {
      await submit(`claimed-${when}`, parcel('x'));
      let asked: Promise<unknown> = Promise.resolve();
      const ledger: Pick<Store['ledger'], 'records'> = { records: (filter) => (asked = store.ledger.records(filter)) as never };
      const list: Store['inbox']['list'] = async (filter) => {
        await Promise.resolve();
        await asked;
        const rows = when === 'after' && (await store.inbox.list(filter));
        await claimAll(store, filter.scope!);
        return rows || store.inbox.list(filter);
      };
      const ports = { inbox: { ...store.inbox, list }, ledger: { ...store.ledger, ...ledger } };
      const found = await listRecords(ports, { pipeline: 'parcels', scope: `claimed-${when}`, limit: 9 }, undefined);
      expect(found.map(({ key, state }) => [key, state])).toEqual([['x', 'running']]);
    }
  });

  test('are shown with what came out', async () => {
    expect(IngestRecord.parse((await get('/b%2F1?scope=mixed')).json)).toMatchObject({
      state: 'completed',
      version: 'v1',
      output: { id: 'b/1', booked: true, town: '[redacted]' },
    });
    const waiting = IngestRecord.parse((await get('/a?scope=mixed')).json);
    expect([waiting.state, waiting.version, waiting.batchId]).toEqual(['waiting', undefined, undefined]);
    expect(Attempts.parse((await get('/b%2F1/attempts?scope=mixed')).json)).toEqual({ items: [] });
  });

  test('are shown without what is sensitive, unless an admin asks', async () => {
    expect((await get('?scope=mixed&state=completed')).json.items[0].output.town).toBe('[redacted]');
    expect((await get('/d?scope=mixed&reveal=true')).json.code).toBe('FORBIDDEN');
    const admin = { authorization: `Bearer ${await ingest.store.access.createToken('admin', 'admin')}` };
    const revealed = await ingest.send('GET', `${RECORDS}/d?scope=mixed&reveal=true`, undefined, admin);
    expect(revealed.json.output).toEqual({ id: 'd', booked: true, town: 'Delft' });
  });

  test.each([
    ['/nothing', 404, 'RECORD_UNKNOWN'],
    ['/a', 404, 'RECORD_UNKNOWN'],
    ['/nothing/why', 404, 'RECORD_UNKNOWN'],
    ['/nothing/attempts', 404, 'RECORD_UNKNOWN'],
    ['?state=lost', 400, 'INVALID_PARAMETER'],
  ])('GET %s is %i %s', async (path, status, code) => {
    const answer = await get(path);
    expect([answer.status, Problem.parse(answer.json).code]).toEqual([status, code]);
  });

  test('of an unknown pipeline are not found', async () => {
    for (const path of ['', '/x', '/x/why', '/x/attempts'])
      expect((await ingest.send('GET', `/v1/pipelines/nothing/records${path}`)).json.code).toBe('PIPELINE_UNKNOWN');
  });
});

describe('taking back', () => {
  test('a record that waits is cancelled at once, and stays so', async () => {
    await submit('back', parcel('x'));
    expect((await cancel('x', 'back')).json).toMatchObject({ key: 'x', state: 'cancelled' });
    expect((await cancel('x', 'back')).json.state).toBe('cancelled');
    await submit('back', parcel('y'));
    await ingest.send('POST', `${RECORDS}/y:cancel?scope=back&reason=sent+twice`);
    expect(await ingest.store.access.audit({ action: 'record.cancel', actor: 'operator', limit: 9 })).toMatchObject([
      { reason: 'sent twice', after: { scope: 'back', key: 'y' }, requestId: expect.any(String) },
      { reason: 'cancelled over the API', after: { scope: 'back', key: 'x' } },
    ]);
    expect((await submit('back', parcel('x'))).json.results[0]).toMatchObject({ status: 'known', state: 'cancelled' });
  });

  test('one that runs with others, has ended, or is not there, is not', async () => {
    await submit('late', parcels(2, 'late'));
    const claimed = await claimAll(ingest.store, 'late');
    const running = await cancel('late-0', 'late');
    expect([running.status, running.json]).toMatchObject([
      409,
      { code: 'RECORD_RUNNING', detail: expect.stringContaining(claimed.batch.executionId) },
    ]);
    await complete(ingest.store, claimed);
    expect((await cancel('late-0', 'late')).json.code).toBe('RECORD_ENDED');
    expect((await cancel('nothing', 'late')).json.code).toBe('RECORD_UNKNOWN');
  });

  test('one that runs alone needs Temporal, and says so', async () => {
    await submit('alone', parcel('alone'));
    await claimAll(ingest.store, 'alone');
    expect((await cancel('alone', 'alone')).json.code).toBe('TEMPORAL_UNAVAILABLE');
  });

  test('one that was completed before it could be cancelled is answered without what is sensitive', async () => {
    await submit('raced', parcel('raced'));
    const claimed = await claimAll(ingest.store, 'raced');
    const executions = {
      view: () => Promise.resolve(undefined),
      queued: () => Promise.resolve(undefined),
      cancel: () => complete(ingest.store, claimed).then(() => true),
    };
    const controller = new RecordsController(ingest.store, executions, new SensitiveFields(ingest.store));
    const showing = { name: 'operator', role: 'operator' } as const;
    const answer = await controller.cancel('parcels', 'raced', { scope: 'raced' }, showing, (reason) => ({ actor: 'operator', reason }));
    expect(answer).toMatchObject({ state: 'completed', output: { id: 'raced', town: '[redacted]' } });
  });
});

describe('waiting for outcomes', () => {
  test('the answer comes when all have theirs, to everybody who waits', async () => {
    const first = submit('wait', [parcel('w1'), parcel('w2')], '&wait=60s');
    await expect.poll(() => ingest.store.inbox.position('parcels', 'w2', 'wait')).toBeDefined();
    const second = submit('wait', parcel('w1'), '&wait=60s');
    await complete(ingest.store, await claimAll(ingest.store, 'wait'));
    const outcome = (key: string) => ({ key, state: 'completed', version: 'v1', output: { id: key, booked: true, town: '[redacted]' } });
    expect((await first).json.results).toMatchObject([
      { ...outcome('w1'), status: 'accepted' },
      { ...outcome('w2'), status: 'accepted' },
    ]);
    expect((await second).json.results).toMatchObject([{ ...outcome('w1'), status: 'known' }]);
    expect((await submit('wait', parcel('w1'), '&wait=60s')).json.results).toMatchObject([outcome('w1')]);
  });

  test('when the time is over it tells how far they are', async () => {
    expect((await submit('slow', parcel('s1'), '&wait=1ms')).json.results).toEqual([
      { index: 0, key: 's1', status: 'accepted', state: 'waiting' },
    ]);
  });

  test('a client that hangs up leaves nothing behind but its records: nobody looks for their outcomes any more', async () => {
    const looked = new Set<string>();
    const { ledger } = ingest.store;
    const ended: typeof ledger.ended = (pipeline, scope, keys) => ledger.ended(pipeline, scope, (looked.add(scope), keys));
    const { url } = await ingest.start({ store: { ...ingest.store, ledger: { ...ledger, ended } } });
    const waitFor = (key: string, signal?: AbortSignal) =>
      fetch(`${url}${RECORDS}?scope=${key}&wait=60s`, {
        method: 'POST',
        body: JSON.stringify(parcel(key)),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ingest.tokens.operator}` },
        ...(signal && { signal }),
      });
    const leave = new AbortController();
    const waiting = waitFor('left', leave.signal);
    await expect.poll(() => looked.has('left')).toBe(true);
    leave.abort();
    await expect(waiting).rejects.toThrow();
    expect((await get('/left?scope=left')).json.state).toBe('waiting');
    let others = 0;
    const lookedAgain = async () => {
      const other = `other-${others++}`;
      const answer = waitFor(other);
      await expect.poll(() => looked.has(other)).toBe(true);
      looked.delete('left');
      // Of its outcome all who wait for records of this pipeline are told.
      await complete(ingest.store, await claimAll(ingest.store, other));
      await answer;
      return looked.has('left');
    };
    await expect.poll(lookedAgain).toBe(false);
  });
});

describe('why', () => {
  const serialised = (answer: object): unknown => JSON.parse(JSON.stringify(answer));
  const why = async (key: string, scope: string) => Why.parse((await get(`/${key}/why?scope=${scope}`)).json);

  test('a record waits behind others, until somebody feeds', async () => {
    await submit('queue', parcels(3, 'q'));
    const answer = await why('q-2', 'queue');
    expect(answer).toMatchObject({ state: 'waiting', inbox: { ahead: 2, paused: false } });
    expect(answer.text).toMatch(/^waiting .+ in the inbox: .+2 records are ahead$/);
  });

  test('feeding that is paused is told', async () => {
    await ingest.store.arms.setFeeding({ pipeline: 'parcels', paused: true, by: BY });
    expect(await why('q-0', 'queue')).toMatchObject({
      inbox: { paused: true },
      text: expect.stringContaining('feeding of parcels is paused'),
    });
    await ingest.store.arms.setFeeding({ pipeline: 'parcels', paused: false, by: BY });
  });

  test('how many executions a feeder lets be open is told, of the room that the record would have', async () => {
    const feeder = { host: 'feeder', incarnation: randomUUID(), roles: ['feeder'], version: '1' };
    await ingest.store.fleet.beat({ ...feeder, bounds: { parcels: { stable: 1, 'candidate v2': 9 } } }, []);
    await submit('bounded', parcel('first'));
    const first = await claimAll(ingest.store, 'bounded');
    await submit('bounded', parcel('second'));
    const held = await why('second', 'bounded');
    await complete(ingest.store, first);
    await ingest.store.fleet.leave(feeder);
    // What earlier tests left open is in the same room.
    expect(held.limits).toEqual([{ kind: 'open-executions', name: 'parcels', used: expect.any(Number), allowed: 1 }]);
    expect(held.text).toMatch(/: \d of 1 executions are open, as many as end within seconds;/);
  });

  test('what holds a backfill back is named: how many executions it may have open, and that it is paused', async () => {
    const { backfills } = ingest.store;
    const id = 'old-parcels';
    await backfills.create({ id, pipeline: 'parcels', scope: id, source: { kind: 'jsonl', path: 'old.jsonl' }, concurrency: 1 }, BY);
    const put = (key: string, from: number) =>
      backfills.put({ id, from, cursor: from + 1, records: [{ key, record: parcel(key), digest: recordDigest(parcel(key)), bytes: 60 }] });
    await put('bf-1', 0);
    await claimAll(ingest.store, id);
    await put('bf-2', 1);
    const held = await why('bf-2', id);
    expect(held.limits).toContainEqual({ kind: 'backfill', name: id, used: 1, allowed: 1 });
    expect(held.text).toContain('its backfill old-parcels has 1 of 1 executions open');
    await backfills.setState(id, 'paused', BY);
    expect((await why('bf-2', id)).text).toContain('its backfill old-parcels is paused');
  });

  test('of an invocation that waits, the limits of its pool and of the resources that it uses are named', async () => {
    await submit('stage', parcel('in-queue'));
    await claimAll(ingest.store, 'stage');
    const told = async (state: 'queued' | 'running') => {
      const executions: Executions = {
        view: () => Promise.resolve({ pending: [{ stage: 'find-depot', state, attempt: 1 }] }),
        queued: () => Promise.resolve(2),
        cancel: () => Promise.resolve(false),
      };
      return Why.parse(serialised(await new WhyController(ingest.store, executions).why('parcels', 'in-queue', { scope: 'stage' })));
    };
    const answer = await told('queued');
    expect(answer.limits).toMatchObject([
      { kind: 'pool', allowed: 0 },
      { kind: 'resource', name: 'depot', allowed: 6 },
    ]);
    expect(answer.text).toContain('resource depot allows 6 at once; 2 invocations in its queue');
    expect((await told('running')).text).toBe('running in stage find-depot on v1: resource depot allows 6 at once');
  });

  test('one that runs is told of as far as rows go, without Temporal', async () => {
    const claimed = await claimAll(ingest.store, 'queue');
    const answer = await why('q-1', 'queue');
    expect(answer).toMatchObject({ state: 'running', execution: { executionId: claimed.batch.executionId, answered: false, records: 3 } });
    expect(answer.text).toMatch(/running for .+ on v1; Temporal did not say more/);
    await complete(ingest.store, claimed);
    expect((await why('q-1', 'queue')).text).toMatch(/^completed .+ ago on v1/);
  });
});
