import { expect, test } from 'vitest';
import { createClient, ApiUnreachableError } from '@autoflow/client';
import { Problem } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { filterEarly } from '../testing/parcels.js';

const api = useApi();
const VERSIONS = '/v1/pipelines/parcels/versions';
const json = { 'content-type': 'application/json' };

test.each([
  ['malformed JSON', 'POST', VERSIONS, { headers: json, raw: '{"topology": ' }, 400, 'MALFORMED_JSON'],
  ['a JSON number', 'POST', VERSIONS, { headers: json, raw: '12' }, 400, 'MALFORMED_JSON'],
  ['binary rubbish', 'POST', VERSIONS, { headers: json, raw: '\u0000\u0001\u{fffd}' }, 400, 'MALFORMED_JSON'],
  ['an array', 'POST', VERSIONS, { headers: json, raw: '[]' }, 422, 'INVALID_BODY'],
  ['no body', 'POST', VERSIONS, { headers: json }, 422, 'INVALID_BODY'],
  [
    'a form',
    'POST',
    VERSIONS,
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, raw: 'a=b' },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'an unknown charset',
    'POST',
    VERSIONS,
    { headers: { 'content-type': 'application/json; charset=klingon' }, raw: '{}' },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a body over the limit',
    'POST',
    VERSIONS,
    { headers: json, raw: JSON.stringify({ topology: filterEarly, note: 'x'.repeat(70_000) }) },
    413,
    'BODY_TOO_LARGE',
  ],
  ['an unknown path', 'GET', '/v1/nothing', {}, 404, 'ROUTE_UNKNOWN'],
  ['the root', 'GET', '/', {}, 404, 'ROUTE_UNKNOWN'],
  ['an unknown method', 'DELETE', '/v1/pipelines/parcels', {}, 404, 'ROUTE_UNKNOWN'],
  ['a broken escape', 'GET', '/v1/pipelines/%ff', {}, 400, 'MALFORMED_REQUEST'],
  ['an unknown parameter', 'GET', '/v1/audit?limt=3', {}, 400, 'INVALID_PARAMETER'],
  ['a parameter out of range', 'GET', '/v1/audit?limit=100000', {}, 400, 'INVALID_PARAMETER'],
  ['a parameter twice', 'GET', '/v1/audit?limit=1&limit=2', {}, 400, 'INVALID_PARAMETER'],
] as const)('%s is a problem', async (_, method, path, options, status, code) => {
  const answer = await api.send(method, path, options);
  expect([answer.status, answer.json.code]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const problem = Problem.parse(answer.json);
  expect(problem).toMatchObject({ status, type: `https://autoflow.dev/errors/${code}`, requestId: answer.headers.get('x-request-id') });
  expect(problem.remedy).not.toBe('');
});

test('a connection stays open longer than whoever stands before us keeps it', async () => {
  expect((await api.send('GET', '/v1/pipelines')).headers.get('keep-alive')).toBe('timeout=75');
});

test('a prototype is not polluted, and a name from it is an ordinary name', async () => {
  await api.send('POST', VERSIONS, { headers: json, raw: '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}' });
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect((await api.send('GET', '/v1/pipelines/__proto__')).problem.code).toBe('PIPELINE_UNKNOWN');
});

test("a caller's request id is kept when it is a plain word", async () => {
  expect((await api.send('GET', '/v1/health/live', { headers: { 'x-request-id': 'trace-1' } })).headers.get('x-request-id')).toBe(
    'trace-1',
  );
  expect((await api.send('GET', '/v1/health/live', { headers: { 'x-request-id': 'a b' } })).headers.get('x-request-id')).toMatch(
    /^[0-9a-f-]{36}$/,
  );
});

test('an address that asks too often is told when to come back; health is always answered', async () => {
  const { url } = await api.start({ requestsPerMinute: 3 });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await fetch(`${url}/v1/pipelines`));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429]);
  expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answers[3]!.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  expect((await fetch(`${url}/v1/health/live`)).status).toBe(200);
});

test('answers carry the headers of a careful server', async () => {
  const { headers } = await api.send('GET', '/v1/pipelines');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.has('x-powered-by')).toBe(false);
});

test('a client that finds nobody, or a stranger, says so', async () => {
  await expect(createClient({ url: 'http://127.0.0.1:1' }).health.live()).rejects.toThrow(ApiUnreachableError);
  await expect(createClient({ url: `${api.url}/v1/docs` }).pipelines.list()).rejects.toThrow(
    /ROUTE_UNKNOWN|no such|cannot be reached|Cannot GET/i,
  );
  await expect(createClient({ url: 'nonsense' }).health.live()).rejects.toThrow('not a URL');
});
