import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Deployment, ReleaseList, UploadedRelease } from '@autoflow/client/schemas';
import type { PipelineSpec } from '@autoflow/pipeline';
import { hashModule, sha256 } from '@autoflow/topology';
import { useApi } from '../testing/api.js';
import { filterEarly, parcelsSpec } from '../testing/parcels.js';

const api = useApi();

/** An upload of code that nobody runs. */
function releaseOf(code: string, spec: PipelineSpec, functions: Record<string, string> = {}) {
  const bytes = Buffer.from(code);
  const hash = hashModule([spec], bytes);
  return { manifest: { hash, bundle: sha256(bytes), specs: [spec], functions: { [spec.name]: functions } }, code };
}
const named = (name: string): PipelineSpec => ({ ...parcelsSpec, name });
const put = (body: ReturnType<typeof releaseOf>, hash = body.manifest.hash) => api.send('PUT', `/v1/releases/${hash}`, { body });

describe('an upload', () => {
  test('is kept once, byte for byte', async () => {
    const body = releaseOf('export const snow = "❄";', named('snow'));
    const first = await put(body);
    expect([first.status, UploadedRelease.parse(first.json)]).toMatchObject([201, { created: true, pipelines: ['snow'] }]);
    const again = await put(body);
    expect([again.status, again.json.created]).toEqual([200, false]);
    const kept = await api.store.bundles.get(body.manifest.hash);
    expect(Buffer.from(kept!.code).toString()).toBe(body.code);
  });

  test.each([
    [
      'a manifest that lies about its hash',
      (body: ReturnType<typeof releaseOf>) => ({ ...body, manifest: { ...body.manifest, hash: 'f'.repeat(64) } }),
      '/manifest/hash',
    ],
    ['code that was changed', (body: ReturnType<typeof releaseOf>) => ({ ...body, code: `${body.code};` }), '/manifest/bundle'],
    [
      'wiring that was changed',
      (body: ReturnType<typeof releaseOf>) => ({ ...body, manifest: { ...body.manifest, specs: [named('other')] } }),
      '/manifest/hash',
    ],
  ])('is refused with %s, and nothing is kept', async (_, lie, pointer) => {
    const body = lie(releaseOf('export {};', named('lies')));
    const { status, problem } = await put(body);
    expect([status, problem.code]).toEqual([422, 'RELEASE_HASH_WRONG']);
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
    expect(await api.store.bundles.manifest(body.manifest.hash)).toBeUndefined();
  });

  test('is refused with a wiring that cannot be one', async () => {
    const { status, problem } = await put(releaseOf('x', { ...named('wrong'), key: 'nothing' }));
    expect([status, problem.code, problem.errors?.[0]?.pointer]).toEqual([422, 'SPEC_INVALID', '/manifest/specs/0/key']);
  });

  test('may be larger than other bodies, and not larger than its own limit', async () => {
    const { url } = await api.start({ bodyLimitBytes: 16 * 1024, releaseLimitBytes: 64 * 1024 });
    const token = await api.store.access.createToken('uploader', 'admin');
    const send = async (size: number) => {
      const body = releaseOf('x'.repeat(size), named('large'));
      const answer = await fetch(`${url}/v1/releases/${body.manifest.hash}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await send(32 * 1024)).toEqual([201, undefined]);
    expect(await send(80 * 1024)).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('that is cut off leaves nothing behind, and the API goes on', async () => {
    const body = releaseOf('y'.repeat(40_000), named('cut'));
    const text = JSON.stringify(body);
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const head = `PUT /v1/releases/${body.manifest.hash} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
    await new Promise<void>((sent) => socket.write(head + text.slice(0, 20_000), () => sent()));
    await new Promise<void>((closed) => socket.once('close', () => closed()).destroy());
    expect(await api.store.bundles.manifest(body.manifest.hash)).toBeUndefined();
    expect((await put(body)).status).toBe(201);
  });
});

describe('a deploy', () => {
  const hashes = (tag: string) => Object.fromEntries(parcelsSpec.nodes.map(({ id }) => [id, sha256(`${id}${id === 'weigh' ? tag : ''}`)]));
  const deploy = async (spec: PipelineSpec, code: string, request: object = {}) => {
    const body = releaseOf(code, spec, hashes(code));
    await put(body);
    const { status, json, problem } = await api.send('POST', `/v1/pipelines/${spec.name}/releases`, {
      body: { release: body.manifest.hash, ...request },
    });
    return { status, problem, deployment: status < 300 ? Deployment.parse(json) : undefined, hash: body.manifest.hash };
  };
  const stable = async (name: string) => (await api.admin.stable.show(name)).version;

  test('of a new pipeline starts as written; of the same wiring keeps topology, envelope and allocation; says which functions changed', async () => {
    const spec = named('kept');
    expect((await deploy(spec, 'one')).deployment).toMatchObject({
      plan: 'as-written',
      why: 'the pipeline is new',
      stable: true,
      version: { name: 'v1' },
    });
    await api.admin.versions.register('kept', { topology: filterEarly });
    await api.admin.stable.set('kept', { version: 'v2', reason: 'faster' }, '*');
    const { revision } = await api.admin.allocations.show('kept');
    await api.admin.allocations.setStage('kept', 'book', { concurrency: 3, reason: 'more' }, revision);

    const { status, deployment, hash } = await deploy(spec, 'two');
    expect(status).toBe(201);
    expect(deployment).toMatchObject({
      plan: 'kept',
      stable: true,
      before: { version: 'v2' },
      version: { name: 'v3', parent: 'v2', release: hash },
    });
    expect(deployment!.functions.filter(({ change }) => change !== 'same')).toEqual([{ node: 'weigh', change: 'changed' }]);
    expect(deployment!.version!.topology).toEqual((await api.admin.versions.show('kept', 'v2')).topology);
    expect((await api.admin.allocations.show('kept')).stages['book']?.concurrency).toBe(3);
    expect(await stable('kept')).toBe('v3');

    const again = await deploy(spec, 'two');
    expect([again.status, again.deployment?.created, again.deployment?.version?.name]).toEqual([200, false, 'v3']);
    expect((await deploy(spec, 'three', { plan: 'as-written' })).deployment).toMatchObject({
      plan: 'as-written',
      why: 'that was asked for',
    });
    expect((await api.admin.audit({ pipeline: 'kept' })).items[0]).toMatchObject({ action: 'stable.set', reason: 'deployed over the API' });
  });

  test('of another wiring starts as written, and says what is another', async () => {
    const spec = named('rewired');
    await deploy(spec, 'one');
    const slower = { ...spec, nodes: spec.nodes.map((node) => (node.id === 'weigh' ? { ...node, timeoutMs: 77_000 } : node)) };
    expect((await deploy(slower, 'two')).deployment).toMatchObject({
      plan: 'as-written',
      why: expect.stringContaining('weigh declared otherwise'),
      stable: true,
    });
  });

  test('that is held leaves the pointer; one that is tried leaves nothing at all', async () => {
    const spec = named('held');
    await deploy(spec, 'one');
    expect((await deploy(spec, 'two', { hold: true })).deployment).toMatchObject({ stable: false, version: { name: 'v2', stable: false } });
    expect(await stable('held')).toBe('v1');

    const { manifest } = releaseOf('three', spec);
    const tried = await api.admin.releases.deploy('held', { release: manifest.hash, dryRun: true, manifest });
    expect(tried).toMatchObject({ dryRun: true, created: true, stable: true, plan: 'kept' });
    expect(tried).not.toHaveProperty('version');
    expect((await api.admin.versions.list('held')).items).toHaveLength(2);
    expect(await api.store.bundles.manifest(manifest.hash)).toBeUndefined();
  });

  test('of a release that is not here, or of another pipeline, is refused', async () => {
    const answer = await api.send('POST', '/v1/pipelines/parcels/releases', { body: { release: 'e'.repeat(64) } });
    expect([answer.status, answer.problem.code]).toEqual([409, 'RELEASE_NOT_UPLOADED']);
    const body = releaseOf('else', named('else'));
    await put(body);
    const other = await api.send('POST', '/v1/pipelines/parcels/releases', { body: { release: body.manifest.hash } });
    expect([other.status, other.problem.code]).toEqual([422, 'INVALID_BODY']);
  });

  test('is undone by release: to the version of it that was stable last, or to its newest', async () => {
    const spec = named('undone');
    const { hash: one } = await deploy(spec, 'one');
    await api.admin.versions.register('undone', { topology: filterEarly });
    await api.admin.stable.set('undone', { version: 'v2', reason: 'faster' }, '*');
    await api.admin.stable.set('undone', { version: 'v1', reason: 'no' }, '*');
    const { hash: two } = await deploy(spec, 'two', { hold: true });
    await deploy(spec, 'three');
    expect(await api.admin.stable.set('undone', { release: one, reason: 'back' }, '*')).toMatchObject({ version: 'v1', release: one });
    expect(await api.admin.stable.set('undone', { release: two, reason: 'forth' }, '*')).toMatchObject({ release: two, version: 'v3' });
    const listed = ReleaseList.parse((await api.send('GET', '/v1/pipelines/undone/releases')).json).items;
    expect(listed.map(({ versions, stable }) => [versions.join(), stable])).toEqual([
      ['v1,v2', false],
      ['v3', true],
      ['v4', false],
    ]);
    expect(Object.keys(listed[0]!.functions!)).toContain('weigh');
    const both = await api.send('PUT', '/v1/pipelines/undone/stable', {
      headers: { 'if-match': '*' },
      body: { version: 'v1', release: one, reason: 'x' },
    });
    expect(both.problem.code).toBe('INVALID_BODY');
    const none = await api.send('PUT', '/v1/pipelines/undone/stable', {
      headers: { 'if-match': '*' },
      body: { release: 'd'.repeat(64), reason: 'x' },
    });
    expect(none.problem.code).toBe('RELEASE_UNKNOWN');
  });
});
