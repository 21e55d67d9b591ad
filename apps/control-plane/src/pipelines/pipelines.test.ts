import { expect, test } from 'vitest';
import { ApiError } from '@autoflow/client';
import { Graph, Pipeline, PipelineList, Registered, Release, ReleaseList } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { parcelsSpec, RELEASE } from '../testing/parcels.js';

const api = useApi();

test('a pipeline is registered as written, and registering it again changes nothing', async () => {
  const spec = { ...parcelsSpec, name: 'letters' };
  const first = await api.send('POST', '/v1/pipelines', { body: { spec, release: RELEASE, reason: 'try it' } });
  expect(first.status).toBe(201);
  expect(Registered.parse(first.json)).toMatchObject({
    created: true,
    version: { name: 'v1', stable: true, author: 'admin', release: RELEASE },
  });
  expect(first.json.version.topology.stages.map(({ name }: { name: string }) => name)).toEqual(['weigh', 'find-depot', 'is-heavy', 'book']);

  const again = await api.send('POST', '/v1/pipelines', { body: { spec, release: RELEASE } });
  expect([again.status, again.json.created, again.json.version.name]).toEqual([200, false, 'v1']);
  const { items } = await api.viewer.audit({ pipeline: 'letters' });
  expect(items.map(({ action, actor, reason }) => [action, actor, reason])).toEqual([
    ['version.register', 'admin', 'try it'],
    ['release.register', 'admin', 'try it'],
  ]);
  expect(items[0]?.requestId).toBe(first.headers.get('x-request-id'));
});

test('pipelines, releases and the graph are answered as documented', async () => {
  expect(PipelineList.parse((await api.send('GET', '/v1/pipelines')).json).items.map(({ name }) => name)).toContain('parcels');
  expect(Pipeline.parse((await api.send('GET', '/v1/pipelines/parcels')).json)).toMatchObject({
    spec: parcelsSpec,
    stable: { version: 'v1', revision: expect.any(Number) },
  });
  expect(ReleaseList.parse((await api.send('GET', '/v1/pipelines/parcels/releases')).json).items).toMatchObject([{ hash: RELEASE }]);
  expect(Release.parse((await api.send('GET', `/v1/pipelines/parcels/releases/${RELEASE}`)).json).spec).toEqual(parcelsSpec);
  const graph = Graph.parse((await api.send('GET', '/v1/pipelines/parcels/graph')).json);
  expect(graph.nodes.map(({ id, inputs, stage }) => [id, inputs, stage])).toEqual([
    ['weigh', [], 'weigh'],
    ['find-depot', ['weigh'], 'find-depot'],
    ['is-heavy', ['find-depot'], 'is-heavy'],
    ['book', ['is-heavy'], 'book'],
  ]);
  expect(graph.mermaid).toMatch(/^flowchart/);
});

test.each([
  ['/v1/pipelines/nothing', 'PIPELINE_UNKNOWN'],
  ['/v1/pipelines/nothing/graph', 'PIPELINE_UNKNOWN'],
  ['/v1/pipelines/parcels/graph?version=v99', 'VERSION_UNKNOWN'],
  ['/v1/pipelines/parcels/releases/ff', 'RELEASE_UNKNOWN'],
  ['/v1/pipelines/constructor', 'PIPELINE_UNKNOWN'],
])('GET %s is %s', async (path, code) => {
  const { status, problem } = await api.send('GET', path);
  expect([status, problem.code, problem.retryable]).toEqual([404, code, false]);
});

test('a specification that cannot be one is refused with all problems, located', async () => {
  const [weigh, findDepot, isHeavy, book] = parcelsSpec.nodes;
  const spec = {
    ...parcelsSpec,
    name: 'constructor',
    key: 'nothing',
    nodes: [
      weigh,
      { ...findDepot, inputs: ['weigh', 'later'], uses: ['nowhere'] },
      { ...book, inputs: ['find-depot'] },
      isHeavy,
      { ...weigh, scope: ['weigh'] },
    ],
  };
  const { status, problem } = await api.send('POST', '/v1/pipelines', { body: { spec, release: RELEASE } });
  expect([status, problem.code]).toEqual([422, 'SPEC_INVALID']);
  expect(problem.errors?.map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/spec/name', 'BAD_NAME'],
    ['/spec/key', 'KEY_UNKNOWN'],
    ['/spec/nodes/4/id', 'NODE_TWICE'],
    ['/spec/nodes/1/inputs/1', 'REFERENCE_UNKNOWN'],
    ['/spec/nodes/1/uses/0', 'REFERENCE_UNKNOWN'],
    ['/spec/nodes/4/scope/0', 'REFERENCE_UNKNOWN'],
    ['/spec/nodes/2', 'WRITE_BEFORE_FILTER'],
  ]);
});

test('a body of another shape is refused with all problems, located', async () => {
  const { status, problem } = await api.send('POST', '/v1/pipelines', {
    body: { spec: { ...parcelsSpec, name: 'Nope!', extra: 1 }, release: 'x', unknown: true },
  });
  expect([status, problem.code]).toEqual([422, 'INVALID_BODY']);
  expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(['/release', '/spec/extra', '/spec/name', '/unknown']);
});

test('what a client is told is an ApiError with the problem', async () => {
  const error = await api.admin.pipelines.show('nothing').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).problem).toMatchObject({
    status: 404,
    code: 'PIPELINE_UNKNOWN',
    detail: 'There is no pipeline "nothing".',
    remedy: expect.stringContaining('autoflow pipelines'),
  });
});
