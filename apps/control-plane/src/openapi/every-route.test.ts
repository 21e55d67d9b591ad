/** What holds for every route there is: the table is the document, so a route that is added is tested. */
import { beforeAll, expect, test } from 'vitest';
import { Problem } from '@autoflow/client/schemas';
import { useApi, type Answer } from '../testing/api.js';
import { filterEarly, parcelsSpec, RELEASE } from '../testing/parcels.js';

const api = useApi();
interface Route {
  readonly method: string;
  readonly path: string;
  readonly writes: boolean;
  readonly conditional: boolean;
  readonly paged: boolean;
  readonly query: boolean;
  readonly role?: 'viewer' | 'operator' | 'admin';
}
let routes: Route[];
const tokens = { viewer: '', operator: '' };

/** Of things that are there, where there may be such things. */
const NAMES: Record<string, string> = {
  pipeline: 'parcels',
  version: 'v1',
  from: 'v1',
  to: 'v1',
  stage: 'weigh',
  release: RELEASE,
  backfill: 'bf-0',
  rollout: 'ro-0',
  optimization: 'opt-0',
  training: 't-0',
  scorer: 'sc-0',
  calibration: 'cal-0',
  letter: '1',
  token: 'spare',
  webhook: 'w',
};
/** A body that each write takes. */
const BODIES: Record<string, object> = {
  'POST /v1/pipelines': { spec: parcelsSpec, release: RELEASE },
  'PATCH /v1/pipelines/{pipeline}': { autonomy: 'canary', reason: 'x' },
  'PUT /v1/pipelines/{pipeline}/stable': { version: 'v1', reason: 'x' },
  'PUT /v1/pipelines/{pipeline}/arms': { holdout: { version: 'v1', share: 0.1 }, reason: 'x' },
  'PUT /v1/pipelines/{pipeline}/feeding': { paused: true, reason: 'x' },
  'POST /v1/pipelines/{pipeline}/versions': { topology: filterEarly },
  'PUT /v1/pipelines/{pipeline}/allocations': {
    stages: Object.fromEntries(['weigh', 'find-depot', 'is-heavy', 'book'].map((stage) => [stage, { memoryMb: 128, concurrency: 2 }])),
    reason: 'x',
  },
  'PUT /v1/pipelines/{pipeline}/allocations/{stage}': { concurrency: 2, reason: 'x' },
  'PUT /v1/pipelines/{pipeline}/allocations/{stage}/clamp': { concurrency: { min: 1, max: 3 }, reason: 'x' },
  'POST /v1/pipelines/{pipeline}/optimizations': { dryRun: true },
  'POST /v1/pipelines/{pipeline}/dead-letters:redrive': { reason: 'x' },
  'POST /v1/pipelines/{pipeline}/dead-letters:discard': { reason: 'x' },
  'POST /v1/tokens/{token}:revoke': { reason: 'x' },
};

beforeAll(async () => {
  for (const role of ['viewer', 'operator'] as const) tokens[role] = await api.store.access.createToken(`of-${role}`, role);
  await api.store.access.createToken('spare', 'viewer');
  const { json } = await api.send('GET', '/v1/openapi.json');
  routes = Object.entries<Record<string, { description: string; parameters?: { name: string; in: string }[] }>>(json.paths).flatMap(
    ([path, item]) =>
      Object.entries(item).map(([name, { description, parameters = [] }]) => {
        const has = (parameter: string) => parameters.some((given) => given.name === parameter);
        const role = /Needs the role (\w+)/.exec(description)?.[1] as Route['role'];
        const method = name.toUpperCase();
        return {
          method,
          path,
          // A question that is posted changes nothing: looking is enough for it.
          writes: method !== 'GET' && role !== 'viewer',
          conditional: has('If-Match'),
          paged: has('cursor'),
          query: parameters.some((given) => given.in === 'query'),
          ...(role && { role }),
        };
      }),
  );
});

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const urlOf = ({ path }: Route) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => NAMES[name]!);
const send = (route: Route, options: Parameters<typeof api.send>[2] = {}, query = '') =>
  api.send(route.method, `${urlOf(route)}${query}`, options);
const bodyOf = (route: Route) => BODIES[nameOf(route)] ?? {};
/** Answers every route's code at once, so that a failure names the routes that fail. */
async function codes(
  which: (route: Route) => boolean,
  ask: (route: Route) => Promise<Answer>,
  code: (answer: Answer) => unknown = ({ json }) => json.code,
) {
  const found = [];
  for (const route of routes.filter(which)) {
    const answer = await ask(route);
    expect([nameOf(route), answer.status >= 500]).toEqual([nameOf(route), false]);
    if (answer.status >= 400) Problem.parse(answer.json);
    found.push([nameOf(route), code(answer)]);
  }
  return found;
}
const all = (which: (route: Route) => boolean, code: unknown) => routes.filter(which).map((route) => [nameOf(route), code]);
const json = { 'content-type': 'application/json' };
const isGuarded = ({ role }: Route) => role !== undefined;
const writes = (route: Route) => route.writes;

test('needs a token, and one of its role', async () => {
  expect(routes.length).toBeGreaterThan(35);
  expect(await codes(isGuarded, (route) => send(route, { headers: { authorization: '' } }))).toEqual(all(isGuarded, 'UNAUTHENTICATED'));
  for (const [role, refused] of [
    ['viewer', /operator|admin/],
    ['operator', /admin/],
  ] as const) {
    const above = (route: Route) => refused.test(route.role ?? '');
    expect(
      await codes(above, (route) =>
        send(route, { headers: { authorization: `Bearer ${tokens[role]}` }, ...(route.method !== 'GET' && { body: {} }) }),
      ),
    ).toEqual(all(above, 'FORBIDDEN'));
  }
});

const takesBody = ({ method }: Route) => /^(PATCH|POST|PUT)$/.test(method);

test('refuses what is no JSON, too long, of another type, or not what it takes', async () => {
  const headers = { ...json, 'if-match': '*' };
  expect(await codes(takesBody, (route) => send(route, { headers, raw: '{"a":' }))).toEqual(all(takesBody, 'MALFORMED_JSON'));
  // The code of a release has a limit of its own.
  const isBounded = (route: Route) => takesBody(route) && !route.path.startsWith('/v1/releases/');
  expect(await codes(isBounded, (route) => send(route, { headers, raw: JSON.stringify({ a: 'x'.repeat(70_000) }) }))).toEqual(
    all(isBounded, 'BODY_TOO_LARGE'),
  );
  expect(await codes(takesBody, (route) => send(route, { headers: { ...headers, 'content-type': 'text/plain' }, raw: 'a' }))).toEqual(
    all(takesBody, 'UNSUPPORTED_MEDIA_TYPE'),
  );
  expect(await codes(takesBody, (route) => send(route, { headers, raw: '{"nobody":"knows"}' }))).toEqual(all(takesBody, 'INVALID_BODY'));
  expect(await codes(takesBody, (route) => send(route, { headers, raw: '[1]' }))).toEqual(all(takesBody, 'INVALID_BODY'));
});

test('refuses parameters that it does not know, and pages that are none', async () => {
  const takesQuery = ({ query }: Route) => query;
  const options = (route: Route) => (route.writes ? { headers: { 'if-match': '*' }, body: bodyOf(route) } : {});
  expect(await codes(takesQuery, (route) => send(route, options(route), '?nobody=knows'))).toEqual(all(takesQuery, 'INVALID_PARAMETER'));
  const paged = (route: Route) => route.paged;
  expect(routes.filter(paged).length).toBeGreaterThanOrEqual(8);
  for (const query of ['?limit=0', '?limit=1001', '?limit=many', '?limit=1&limit=2'])
    expect(await codes(paged, (route) => send(route, {}, query))).toEqual(all(paged, 'INVALID_PARAMETER'));
  expect(
    await codes(
      paged,
      (route) => send(route, {}, '?limit=1'),
      ({ status, json: page }) => [status, Array.isArray(page.items)],
    ),
  ).toEqual(all(paged, [200, true]));
});

test('changes no state without If-Match, nor with a stale or malformed one', async () => {
  const conditional = (route: Route) => route.conditional;
  const known = (route: Route) => conditional(route) && nameOf(route) in BODIES;
  expect(routes.filter(known).length).toBeGreaterThanOrEqual(4);
  expect(await codes(known, (route) => send(route, { body: bodyOf(route) }))).toEqual(all(known, 'REVISION_REQUIRED'));
  expect(await codes(known, (route) => send(route, { body: bodyOf(route), headers: { 'if-match': '"987654"' } }))).toEqual(
    all(known, 'STALE_REVISION'),
  );
  expect(await codes(conditional, (route) => send(route, { body: bodyOf(route), headers: { 'if-match': '3' } }))).toEqual(
    all(conditional, 'INVALID_PARAMETER'),
  );
});

test('does nothing twice for one Idempotency-Key, and nothing else for it', async () => {
  expect(
    await codes(writes, (route) => send(route, { headers: { 'idempotency-key': 'a b', 'if-match': '*' }, body: bodyOf(route) })),
  ).toEqual(all(writes, 'INVALID_PARAMETER'));
  const given = (route: Route) => nameOf(route) in BODIES;
  const keyed = (route: Route) => ({ 'if-match': '*', 'idempotency-key': `once-${routes.indexOf(route)}` });
  const firsts = new Map<string, Answer>();
  for (const route of routes.filter(given)) firsts.set(nameOf(route), await send(route, { headers: keyed(route), body: bodyOf(route) }));
  expect([...firsts].map(([name, { status }]) => [name, status < 300])).toEqual(all(given, true));
  const changes = (await api.viewer.audit({ limit: 1 })).items[0]!.id;
  const again = await codes(
    given,
    (route) => send(route, { headers: keyed(route), body: bodyOf(route) }),
    ({ status, json: answer, headers }) => [status, answer, headers.get('etag')],
  );
  expect(again).toEqual([...firsts].map(([name, { status, json: answer, headers }]) => [name, [status, answer, headers.get('etag')]]));
  const other = (route: Route) => send(route, { headers: keyed(route), body: { ...bodyOf(route), reason: 'another' } });
  expect(await codes(given, other)).toEqual(all(given, 'IDEMPOTENCY_KEY_REUSED'));
  expect((await api.viewer.audit({ limit: 1 })).items[0]!.id).toBe(changes);
});
