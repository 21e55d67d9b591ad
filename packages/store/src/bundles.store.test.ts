import { expect, test } from 'vitest';
import { allocation, by, envelope, specOf, topology, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
const manifest = { hash: 'a'.repeat(64), bundle: 'b'.repeat(64), specs: [specOf('orders')], functions: { orders: { parse: 'p1' } } };

test('a bundle is kept byte for byte, once', async () => {
  const { bundles } = context.store;
  const code = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  expect(await bundles.get(manifest.hash)).toBeUndefined();
  expect(await bundles.put({ manifest, code, sourceMap: code.slice(0, 3) })).toEqual({ created: true });
  expect(await bundles.put({ manifest, code: code.slice(1) })).toEqual({ created: false });
  const found = await bundles.get(manifest.hash);
  expect(found?.manifest).toEqual(manifest);
  expect(await bundles.manifest(manifest.hash)).toEqual(manifest);
  expect(Buffer.compare(found!.code, code)).toBe(0);
  expect([...found!.sourceMap!]).toEqual([0, 1, 2]);
});

test('a bundle without source map has none', async () => {
  const { bundles } = context.store;
  await bundles.put({ manifest: { ...manifest, hash: 'c'.repeat(64) }, code: Uint8Array.of(1) });
  expect(await bundles.get('c'.repeat(64))).not.toHaveProperty('sourceMap');
});

test('function hashes are those of the release, and none where its code was not told', async () => {
  const { definitions } = context.store;
  const register = (hash: string, functions?: { parse: string }) =>
    definitions.registerRelease({
      release: { pipeline: 'orders', hash, spec: specOf('orders'), ...(functions && { functions }) },
      topology,
      envelope,
      allocation,
      by,
    });
  await register('r1', { parse: 'p1' });
  await register('r2');
  expect(await definitions.functionHashes('orders', 'r1')).toEqual({ parse: 'p1' });
  expect((await definitions.release('orders', 'r1'))?.functions).toEqual({ parse: 'p1' });
  expect(await definitions.functionHashes('orders', 'r2')).toEqual({});
  expect(await definitions.functionHashes('orders', 'nowhere')).toEqual({});
});
