import { expect, test } from 'vitest';
import { useIngest } from './testing/ingest.js';

const ingest = useIngest();

test('it is live, and ready without Temporal', async () => {
  expect((await ingest.send('GET', '/v1/health/live')).json).toEqual({ status: 'ok' });
  expect((await ingest.send('GET', '/v1/health/ready')).json).toMatchObject({ status: 'ok', details: { postgres: { status: 'up' } } });
});

test('the document has every route, with both kinds of bodies and every reference leading somewhere', async () => {
  const { json } = await ingest.send('GET', '/v1/openapi.json');
  const routes = Object.entries<object>(json.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(json.openapi).toBe('3.1.0');
  expect(routes.sort()).toEqual([
    'GET /v1/health/live',
    'GET /v1/health/ready',
    'GET /v1/pipelines/{pipeline}/records',
    'GET /v1/pipelines/{pipeline}/records/{key}',
    'GET /v1/pipelines/{pipeline}/records/{key}/attempts',
    'GET /v1/pipelines/{pipeline}/records/{key}/why',
    'POST /v1/pipelines/{pipeline}/records',
    'POST /v1/pipelines/{pipeline}/records/{key}:cancel',
  ]);
  const { post } = json.paths['/v1/pipelines/{pipeline}/records'];
  expect(Object.keys(post.requestBody.content)).toEqual(['application/json', 'application/x-ndjson']);
  expect(Object.keys(post.responses)).toEqual(expect.arrayContaining(['202', '404', '409', '413', '415', '422', '429', '503']));
  expect(post.description).toContain('needs no `Idempotency-Key`');
  const names = [...JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
  expect(names.filter((name) => !(name in json.components.schemas))).toEqual([]);
  expect(JSON.stringify(json)).not.toContain('RATE_LIMITED');
  expect((await fetch(`${ingest.url}/v1/docs`)).status).toBe(200);
});
