import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { Problem, Submission, SubmitResult } from '@autoflow/client/schemas';
import type { IngestOptions } from '../ingest.js';
import { linesIn, ndjson, NDJSON, parcel, parcels, RECORDS, registerParcels, sendTo, useIngest } from '../testing/ingest.js';
import { claimAll } from '../testing/run.js';

const ingest = useIngest();
const submit = (body: unknown, query = '', headers: Record<string, string> = {}) => ingest.send('POST', RECORDS + query, body, headers);
const stream = (lines: string, query = '', headers: Record<string, string> = {}) => submit(lines, query, { ...NDJSON, ...headers });

describe('a JSON body', () => {
  test('one record is accepted, is known when it comes again, and a conflict with other content', async () => {
    const first = await submit(parcel('one'));
    expect([first.status, Submission.parse(first.json)]).toEqual([
      202,
      {
        counts: { accepted: 1, known: 0, conflict: 0, invalid: 0 },
        results: [{ index: 0, key: 'one', status: 'accepted', state: 'waiting' }],
      },
    ]);
    const { town, grams, id } = parcel('one');
    expect((await submit({ town, grams, id })).json.results).toEqual([{ index: 0, key: 'one', status: 'known', state: 'waiting' }]);
    const other = await submit(parcel('one', { grams: 1 }));
    expect([other.status, Problem.parse(other.json)]).toMatchObject([409, { code: 'RECORDS_CONFLICT', errors: [{ pointer: '/0' }] }]);
  });

  test('of many each has its own result, and the good ones are taken', async () => {
    const answer = await submit([
      parcel('m1'),
      parcel('m2', { grams: 'much' }),
      'rubbish',
      parcel('m1', { grams: 3 }),
      parcel('m3'),
      { id: '' },
    ]);
    expect(answer.status).toBe(202);
    const { counts, results } = Submission.parse(answer.json);
    expect(counts).toEqual({ accepted: 2, known: 0, conflict: 1, invalid: 3 });
    expect(results!.map(({ status }) => status)).toEqual(['accepted', 'invalid', 'invalid', 'conflict', 'accepted', 'invalid']);
    expect(results![1]!.errors).toEqual([{ pointer: '/1/grams', message: expect.stringContaining('grams') }]);
    expect(results![2]!.errors).toEqual([{ pointer: '/2', message: 'the record is no JSON object' }]);
    expect((await submit(parcels(3, 'sum'), '?answer=summary')).json).toEqual({
      counts: { accepted: 3, known: 0, conflict: 0, invalid: 0 },
    });
  });

  test('what is not declared is kept, and compared', async () => {
    expect((await submit(parcel('extra', { note: 'x' }))).status).toBe(202);
    expect((await submit(parcel('extra', { note: 'y' }))).json.code).toBe('RECORDS_CONFLICT');
  });

  test('arrival is the time of the database, whatever the client says', async () => {
    await submit(parcel('skewed', { arrivedAt: '1999-01-01T00:00:00Z' }), '', { date: 'Fri, 01 Jan 1999 00:00:00 GMT' });
    const { arrivedAt } = (await ingest.send('GET', `${RECORDS}/skewed`)).json;
    expect(Math.abs(Date.parse(arrivedAt) - Date.now())).toBeLessThan(60_000);
  });

  test('a pinned version and a deadline go with the record', async () => {
    await submit(parcel('pinned'), '?version=v1&within=5m');
    const { version, arrivedAt, dueAt } = (await ingest.store.inbox.position('parcels', 'pinned'))!;
    expect(version).toBe('v1');
    expect(dueAt!.getTime() - arrivedAt.getTime()).toBe(300_000);
  });

  test('scopes are apart', async () => {
    await submit(parcel('scoped'));
    expect((await submit(parcel('scoped', { grams: 9 }), '?scope=other')).json.results[0].status).toBe('accepted');
  });

  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  test.each([
    ['an unknown pipeline', '/v1/pipelines/nothing/records', parcel('x'), 404, 'PIPELINE_UNKNOWN'],
    ['a version that is not there', `${RECORDS}?version=v9`, parcel('x'), 404, 'VERSION_UNKNOWN'],
    ['records that are all invalid', RECORDS, [{}, { id: 'x' }], 422, 'RECORDS_INVALID'],
    ['malformed JSON', RECORDS, '{"id": ', 400, 'MALFORMED_JSON'],
    ['a JSON string', RECORDS, '"text"', 400, 'MALFORMED_JSON'],
    ['nothing', RECORDS, undefined, 400, 'MALFORMED_JSON'],
    ['a body over the limit', RECORDS, [parcel('x', { note: 'x'.repeat(300_000) })], 413, 'BODY_TOO_LARGE'],
    ['a record that nests too deep', RECORDS, `{"id":"deep","grams":1,"town":"x","more":${nested}}`, 422, 'RECORDS_INVALID'],
    ['a wait that is too long', `${RECORDS}?wait=61s`, parcel('x'), 400, 'INVALID_PARAMETER'],
    ['a wait that is no time', `${RECORDS}?wait=long`, parcel('x'), 400, 'INVALID_PARAMETER'],
    ['an unknown parameter', `${RECORDS}?wat=1s`, parcel('x'), 400, 'INVALID_PARAMETER'],
    ['a key that cannot be stored', RECORDS, '{"id":"a\\u0000","grams":1,"town":"x"}', 422, 'RECORDS_INVALID'],
  ])('%s is a problem', async (_, path, body, status, code) => {
    const answer = await ingest.send('POST', path, body);
    expect([answer.status, Problem.parse(answer.json).code]).toEqual([status, code]);
  });

  test('for a pipeline that has no version yet are refused with what to do, and taken from its first deploy on', async () => {
    const path = '/v1/pipelines/pallets/records';
    const refused = Problem.parse((await ingest.send('POST', path, parcel('early'))).json);
    expect(refused).toMatchObject({ code: 'PIPELINE_UNKNOWN', detail: expect.stringContaining('nothing was taken') });
    expect(refused.remedy).toContain('autoflow deploy');
    await registerParcels(ingest.store, 'pallets');
    expect((await ingest.send('POST', path, parcel('early'))).json.results).toMatchObject([{ status: 'accepted' }]);
  });

  test('a form is refused, a viewer may not write, a stranger may nothing', async () => {
    expect((await submit('a=b', '', { 'content-type': 'application/x-www-form-urlencoded' })).json.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect((await submit(parcel('v'), '', { authorization: `Bearer ${ingest.tokens.viewer}` })).json.code).toBe('FORBIDDEN');
    expect((await submit(parcel('v'), '', { authorization: 'Bearer no' })).json.code).toBe('UNAUTHENTICATED');
    expect((await ingest.send('GET', `${RECORDS}/v`)).json.code).toBe('RECORD_UNKNOWN');
  });
});

describe('a stream of lines', () => {
  test('is answered line by line; what is wrong with one line is told of that line only', async () => {
    const lines = [
      JSON.stringify(parcel('l1')),
      '{"id": "l2", broken',
      '',
      JSON.stringify(parcel('l4', { grams: 'many' })),
      JSON.stringify(parcel('l5', { note: 'x'.repeat(5_000) })),
      '\u0000\u0001',
      '[]',
      JSON.stringify(parcel('l1')),
      JSON.stringify(parcel('l1', { grams: 1 })),
      JSON.stringify(parcel('l10')),
    ];
    const answer = await stream(lines.join('\n'));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([202, expect.stringContaining('application/x-ndjson')]);
    const results = linesIn(answer).map((line) => SubmitResult.parse(line));
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 'accepted'],
      [2, 'invalid'],
      [4, 'invalid'],
      [5, 'invalid'],
      [6, 'invalid'],
      [7, 'invalid'],
      [8, 'known'],
      [9, 'conflict'],
      [10, 'accepted'],
    ]);
    expect(results[1]!.errors![0]!.message).toMatch(/not JSON/);
    expect(results[2]!.errors![0]!.pointer).toBe('/grams');
    expect(results[3]!.errors![0]!.message).toMatch(/more than 4096/);
  });

  test('is summed up where that is asked for, also gzipped', async () => {
    const body = gzipSync(ndjson(parcels(1_000, 'zip')));
    const answer = await fetch(`${ingest.url}${RECORDS}?answer=summary`, {
      method: 'POST',
      body,
      headers: { ...NDJSON, 'content-encoding': 'gzip', authorization: `Bearer ${ingest.tokens.operator}` },
    });
    expect([answer.status, await answer.json()]).toEqual([202, { counts: { accepted: 1_000, known: 0, conflict: 0, invalid: 0 } }]);
  });

  test.each([
    ['without one good record', '{}\n{"id":1}\n', {}, 422, 'RECORDS_INVALID'],
    ['that is said to be gzip', 'rubbish', { 'content-encoding': 'gzip' }, 400, 'MALFORMED_REQUEST'],
    ['that is encoded otherwise', 'rubbish', { 'content-encoding': 'br' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%s is a problem', async (_, body, headers, status, code) => {
    const answer = await stream(body, '', headers as Record<string, string>);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test('an empty one is taken as it is', async () => {
    const answer = await stream('', '?answer=summary', { 'transfer-encoding': 'chunked' }).catch(() => stream(' \n', '?answer=summary'));
    expect([answer.status, answer.json]).toEqual([202, { counts: { accepted: 0, known: 0, conflict: 0, invalid: 0 } }]);
  });

  test('is cut when nothing passes any more', async () => {
    const { url } = await ingest.start({ streamIdleMs: 200 });
    const answer = fetch(`${url}${RECORDS}?answer=summary`, {
      method: 'POST',
      body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(ndjson([parcel('silent')]))) }),
      duplex: 'half',
      headers: { ...NDJSON, authorization: `Bearer ${ingest.tokens.operator}` },
    } as RequestInit);
    await expect(answer).rejects.toThrow();
  });

  test('is accepted while it still comes in; what a client that hangs up had sent stays, and its unfinished line does not', async () => {
    const leave = new AbortController();
    let send!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
    const write = (text: string) => send.enqueue(new TextEncoder().encode(text));
    write(ndjson([parcel('gone-1'), parcel('gone-2')]));
    const answer = await fetch(`${ingest.url}${RECORDS}`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { ...NDJSON, authorization: `Bearer ${ingest.tokens.operator}` },
      signal: leave.signal,
    } as RequestInit);
    const reader = answer.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('gone-2');
    write(JSON.stringify(parcel('gone-3')));
    leave.abort();
    await expect(reader.read()).rejects.toThrow();
    expect((await submit([parcel('gone-1'), parcel('gone-2')])).json.counts).toMatchObject({ known: 2 });
    expect((await ingest.send('GET', `${RECORDS}/gone-3`)).status).toBe(404);
  });
});

describe('a pipeline of which too much waits', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await ingest.start({ waitingLimit: 10 }));
    await submit(parcels(10, 'full'));
  });

  test('takes no more, and says when to come back', async () => {
    const answer = await fetch(`${url}${RECORDS}`, {
      method: 'POST',
      body: JSON.stringify(parcel('too-much')),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ingest.tokens.operator}` },
    });
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, 2]);
    expect(await answer.json()).toMatchObject({ code: 'BACKLOG_FULL', retryable: true });
    expect(await ingest.store.inbox.position('parcels', 'too-much')).toBeUndefined();
    const read = async (from: string) =>
      (await fetch(`${from}/metrics`, { headers: { authorization: `Bearer ${ingest.tokens.viewer}` } })).text();
    expect(await read(url)).toMatch(/^autoflow_ingest_backlog_full_total\{pipeline="parcels"\} 1$/m);
    expect(await read(url)).toMatch(/^autoflow_ingest_answers_total\{status="429"\} 1$/m);
    expect(await read(ingest.url)).toMatch(/^autoflow_ingest_records_total\{pipeline="parcels",status="accepted"\} [1-9]\d*$/m);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
  });

  describe('by a stream', () => {
    const path = '/v1/pipelines/crates/records';
    const send = async (scope: string, options: Partial<IngestOptions> = {}) => {
      const { url: bounded } = await ingest.start({ waitingLimit: 300, ...options });
      return sendTo(`${bounded}${path}?scope=${scope}`, ingest.tokens.operator, 'POST', ndjson(parcels(750, scope)), NDJSON);
    };
    beforeAll(() => registerParcels(ingest.store, 'crates'));

    test('slows it down until there is room again', async () => {
      const answer = send('slowed');
      await expect.poll(async () => (await ingest.store.inbox.waiting('crates')).records).toBe(500);
      await claimAll(ingest.store, 'slowed');
      expect(linesIn(await answer).filter(({ status }) => status === 'accepted')).toHaveLength(750);
      await claimAll(ingest.store, 'slowed');
    });

    test('ends it when there is none for long, and says so in its last line', async () => {
      const lines = linesIn(await send('ended', { patienceMs: 0 }));
      expect(lines.slice(0, -1).map(({ status }) => status)).toEqual(Array.from({ length: 500 }, () => 'accepted'));
      expect(lines.at(-1)).toMatchObject({ problem: { code: 'BACKLOG_FULL', retryable: true } });
    });
  });
});
