import { expect, test } from 'vitest';
import { Registered, Version, VersionDiff, VersionList } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { filterEarly, RELEASE, twiceIllegal } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/versions';

test('a legal topology becomes a version, once', async () => {
  const first = await api.send('POST', PATH, { body: { topology: filterEarly, note: 'the filter first' } });
  expect(first.status).toBe(201);
  const { version } = Registered.parse(first.json);
  expect(version).toMatchObject({
    name: 'v2',
    parent: 'v1',
    stable: false,
    note: 'the filter first',
    release: RELEASE,
    topology: { lingerMs: 0, batch: { records: 50 } },
  });
  expect(version.topology.stages.map(({ name }) => name)).toEqual(['weigh+is-heavy', 'find-depot', 'book']);

  const again = await api.send('POST', PATH, { body: { topology: filterEarly } });
  expect([again.status, again.json.version.name, again.json.created]).toEqual([200, 'v2', false]);
  expect(VersionList.parse((await api.send('GET', PATH)).json).items.map(({ name, stable }) => [name, stable])).toEqual([
    ['v1', true],
    ['v2', false],
  ]);
  expect(Version.parse((await api.send('GET', `${PATH}/v2`)).json)).toEqual(version);
});

test('two versions are compared in words', async () => {
  const diff = VersionDiff.parse((await api.send('GET', `${PATH}/v1/diff/v2`)).json);
  expect(diff.changes.map(({ text }) => text)).toEqual([
    'weigh and is-heavy run fused as one stage.',
    expect.stringContaining('earlier'),
    'A batch holds up to 50 records (was 1).',
  ]);
  expect(diff.mermaid).toContain('in(["up to 50 records<br/>was: 1 record"])');
  expect(diff.mermaid).toMatch(/"weigh<br\/>is-heavy ?.?"\]:::added/);
  expect(diff.mermaid).toMatch(/"weigh"\]:::removed/);
});

test('an illegal topology is refused with every problem, located', async () => {
  const { status, problem } = await api.send('POST', PATH, { body: { topology: twiceIllegal } });
  expect([status, problem.code, problem.retryable]).toEqual([422, 'VERSION_ILLEGAL', false]);
  expect(problem.errors!.length).toBeGreaterThanOrEqual(3);
  for (const { pointer, message } of problem.errors!)
    expect([pointer, message]).toEqual([expect.stringMatching(/^\/topology\/stages\/\d/), expect.any(String)]);
  const said = problem.errors!.map(({ message }) => message).join('\n');
  expect(said).toContain('is-heavy');
  expect(said).toContain('book');
});

test('wrong shapes are located too', async () => {
  const { problem } = await api.send('POST', PATH, {
    body: { topology: { stages: [{ nodes: [], after: 'x' }], batch: { records: 0 }, extra: 1 } },
  });
  expect(problem.code).toBe('VERSION_ILLEGAL');
  expect(problem.errors!.map(({ pointer }) => pointer).sort()).toEqual([
    '/topology/batch/records',
    '/topology/extra',
    '/topology/stages/0/after',
    '/topology/stages/0/nodes',
  ]);
});

test.each([
  ['a release that is not there', { release: 'b'.repeat(64) }, 'INVALID_BODY', ['/release']],
  ['a parent that is not there', { parent: 'v99' }, 'INVALID_BODY', ['/parent']],
  [
    'an envelope of other stages',
    { envelope: { nowhere: { memoryMb: [128], concurrency: { min: 1, max: 2 } } } },
    'ENVELOPE_INVALID',
    ['/envelope/nowhere'],
  ],
  ['an envelope of another shape', { envelope: { book: 1 } }, 'ENVELOPE_INVALID', ['/envelope/book']],
  ['an allocation of another shape', { allocation: [] }, 'ALLOCATION_OUT_OF_BOUNDS', ['/allocation']],
  ['no topology', { topology: undefined }, 'INVALID_BODY', ['/topology']],
])('%s is refused', async (_, wrong, code, pointers) => {
  const { status, problem } = await api.send('POST', PATH, { body: { topology: filterEarly, ...wrong } });
  expect([status, problem.code]).toEqual([422, code]);
  expect(problem.errors!.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(pointers));
});

test('an unknown version or pipeline is not found', async () => {
  expect((await api.send('GET', `${PATH}/v99`)).problem.code).toBe('VERSION_UNKNOWN');
  expect((await api.send('GET', `${PATH}/v1/diff/v99`)).problem.code).toBe('VERSION_UNKNOWN');
  expect((await api.send('POST', '/v1/pipelines/nothing/versions', { body: { topology: filterEarly } })).problem.code).toBe(
    'PIPELINE_UNKNOWN',
  );
});
