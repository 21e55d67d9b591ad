import { expect, test } from 'vitest';
import { useApi } from '../testing/api.js';

const api = useApi();

const ROUTES = [
  'DELETE /v1/webhooks/{webhook}',
  'GET /v1/audit',
  'GET /v1/events',
  'GET /v1/health/live',
  'GET /v1/health/ready',
  'GET /v1/hosts',
  'GET /v1/pipelines',
  'GET /v1/pipelines/{pipeline}',
  'GET /v1/pipelines/{pipeline}/allocations',
  'GET /v1/pipelines/{pipeline}/allocations/control',
  'GET /v1/pipelines/{pipeline}/arms',
  'GET /v1/pipelines/{pipeline}/backfills',
  'GET /v1/pipelines/{pipeline}/backfills/{backfill}',
  'GET /v1/pipelines/{pipeline}/calibrations/{calibration}',
  'GET /v1/pipelines/{pipeline}/dead-letters',
  'GET /v1/pipelines/{pipeline}/dead-letters/groups',
  'GET /v1/pipelines/{pipeline}/dead-letters/{letter}',
  'GET /v1/pipelines/{pipeline}/digest',
  'GET /v1/pipelines/{pipeline}/graph',
  'GET /v1/pipelines/{pipeline}/metrics',
  'GET /v1/pipelines/{pipeline}/optimizations',
  'GET /v1/pipelines/{pipeline}/optimizations/{optimization}',
  'GET /v1/pipelines/{pipeline}/releases',
  'GET /v1/pipelines/{pipeline}/releases/{release}',
  'GET /v1/pipelines/{pipeline}/rollouts',
  'GET /v1/pipelines/{pipeline}/rollouts/{rollout}',
  'GET /v1/pipelines/{pipeline}/savings',
  'GET /v1/pipelines/{pipeline}/scorers',
  'GET /v1/pipelines/{pipeline}/scorers/{scorer}',
  'GET /v1/pipelines/{pipeline}/settings',
  'GET /v1/pipelines/{pipeline}/stable',
  'GET /v1/pipelines/{pipeline}/versions',
  'GET /v1/pipelines/{pipeline}/versions/{from}/diff/{to}',
  'GET /v1/pipelines/{pipeline}/versions/{version}',
  'GET /v1/pipelines/{pipeline}/versions/{version}/certificate',
  'GET /v1/tokens',
  'GET /v1/tokens/{token}',
  'GET /v1/trainings',
  'GET /v1/trainings/{training}',
  'GET /v1/trainings/{training}/parameters',
  'GET /v1/webhooks',
  'GET /v1/webhooks/{webhook}',
  'PATCH /v1/pipelines/{pipeline}',
  'POST /v1/pipelines',
  'POST /v1/pipelines/{pipeline}/backfills',
  'POST /v1/pipelines/{pipeline}/backfills/{backfill}:cancel',
  'POST /v1/pipelines/{pipeline}/backfills/{backfill}:pause',
  'POST /v1/pipelines/{pipeline}/backfills/{backfill}:resume',
  'POST /v1/pipelines/{pipeline}/calibrations',
  'POST /v1/pipelines/{pipeline}/dead-letters/{letter}:discard',
  'POST /v1/pipelines/{pipeline}/dead-letters/{letter}:redrive',
  'POST /v1/pipelines/{pipeline}/dead-letters:discard',
  'POST /v1/pipelines/{pipeline}/dead-letters:redrive',
  'POST /v1/pipelines/{pipeline}/optimizations',
  'POST /v1/pipelines/{pipeline}/optimizations/{optimization}:cancel',
  'POST /v1/pipelines/{pipeline}/releases',
  'POST /v1/pipelines/{pipeline}/rollouts',
  'POST /v1/pipelines/{pipeline}/rollouts/{rollout}:abort',
  'POST /v1/pipelines/{pipeline}/rollouts/{rollout}:pause',
  'POST /v1/pipelines/{pipeline}/rollouts/{rollout}:promote',
  'POST /v1/pipelines/{pipeline}/rollouts/{rollout}:resume',
  'POST /v1/pipelines/{pipeline}/rollouts/{rollout}:roll-back',
  'POST /v1/pipelines/{pipeline}/scorers',
  'POST /v1/pipelines/{pipeline}/versions',
  'POST /v1/pipelines/{pipeline}/what-if',
  'POST /v1/tokens',
  'POST /v1/tokens/{token}:revoke',
  'POST /v1/tokens/{token}:rotate',
  'POST /v1/webhooks',
  'PUT /v1/pipelines/{pipeline}/allocations',
  'PUT /v1/pipelines/{pipeline}/allocations/{stage}',
  'PUT /v1/pipelines/{pipeline}/allocations/{stage}/clamp',
  'PUT /v1/pipelines/{pipeline}/arms',
  'PUT /v1/pipelines/{pipeline}/feeding',
  'PUT /v1/pipelines/{pipeline}/stable',
  'PUT /v1/releases/{release}',
];

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly security?: unknown[];
  readonly parameters?: { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema?: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}
async function document() {
  const { json } = await api.send('GET', '/v1/openapi.json');
  const operations = Object.entries<Record<string, Operation>>(json.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, operation })),
  );
  return { json, operations };
}

test('the document is OpenAPI 3.1 and has every route', async () => {
  const { json, operations } = await document();
  expect(json.openapi).toBe('3.1.0');
  expect(operations.map(({ route }) => route).sort()).toEqual(ROUTES);
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(ROUTES.length);
});

test('every operation says what it takes, what it answers and how it fails', async () => {
  const { operations } = await document();
  for (const { route, path, operation } of operations) {
    const { parameters = [], responses, requestBody, security } = operation;
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect([route, parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)]).toEqual([route, inPath]);
    expect([route, parameters.every(({ schema }) => schema !== undefined)]).toEqual([route, true]);
    const done = responses['200'] ?? responses['201'] ?? responses['202'];
    expect([route, done?.content?.['application/json']?.schema]).toEqual([
      route,
      { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) },
    ]);
    expect([route, responses['500']?.content?.['application/problem+json']?.schema]).toEqual([
      route,
      { $ref: '#/components/schemas/Problem' },
    ]);
    expect([route, requestBody?.content['application/json']?.schema !== undefined]).toEqual([route, /^(PATCH|POST|PUT)/.test(route)]);
    expect([route, security !== undefined, '401' in responses]).toEqual([route, !route.includes('/health/'), !route.includes('/health/')]);
    if (/^(PATCH|POST|PUT)/.test(route) && !/\/(what-if|optimizations)$/.test(route))
      expect([route, parameters.find(({ name }) => name === 'Idempotency-Key')]).toMatchObject([route, { in: 'header' }]);
    // What is named by its content has no revision.
    if (/^(PATCH|PUT)/.test(route) && !route.includes('/releases/'))
      expect([route, parameters.find(({ name }) => name === 'If-Match')]).toMatchObject([route, { in: 'header', required: true }]);
  }
});

test('who starts a backfill reads that it takes an admin, and a key', async () => {
  const { operations } = await document();
  const { operation } = operations.find(({ route }) => route === 'POST /v1/pipelines/{pipeline}/backfills')!;
  expect(operation.description).toMatch(/Needs the role admin\..*AUTOFLOW_SOURCES/);
  expect(operation.parameters).toContainEqual(expect.objectContaining({ in: 'header', name: 'Idempotency-Key' }));
});

test('every reference leads somewhere', async () => {
  const { json } = await document();
  const names = [...JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !(name in json.components.schemas))).toEqual([]);
  expect(JSON.stringify(json).includes('#/$defs')).toBe(false);
});

test('query parameters come from the schemas that check them', async () => {
  const { operations } = await document();
  const metrics = operations.find(({ route }) => route.endsWith('/metrics'))!.operation;
  expect(metrics.parameters!.filter((parameter) => parameter.in === 'query').map(({ name, required = false }) => [name, required])).toEqual(
    [
      ['by', false],
      ['since', false],
      ['from', false],
      ['to', false],
      ['version', false],
      ['scope', false],
    ],
  );
});

test('there is a page for it', async () => {
  const page = await fetch(`${api.url}/v1/docs`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  expect(await page.text()).toContain('AutoFlow API');
});
