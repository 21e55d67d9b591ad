import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PipelineSpec } from '@autoflow/pipeline';
import { hashRelease, sha256 } from '@autoflow/topology';
import { programFile } from '../programs.js';
import { bundleModule } from './bundle.js';
import { loadSpecs } from './load-specs.js';
import { BUNDLE_FILE, MANIFEST_FILE, type Manifest } from './read-release.js';
import { writeAtomically, writeFolderAtomically } from './write-atomically.js';

export interface Release {
  /** SHA-256 (hex) of wiring and bundle: the same for the same code, wherever it was built. */
  readonly hash: string;
  /** Of every pipeline that the module exports, sorted by name. */
  readonly specs: readonly PipelineSpec[];
  /** `<releases>/<hash>`, holding `index.mjs`, its source map and `release.json`. */
  readonly folder: string;
}

/** Bundles a pipeline's module into the content-addressed folder of releases. Throws `ReleaseError`; leaves nothing half written. */
export async function buildRelease(
  modulePath: string,
  releasesFolder: string,
  options: { readonly loadWithinMs?: number } = {},
): Promise<Release> {
  const releases = resolve(releasesFolder);
  const bundle = await bundleModule(modulePath);
  const specs = await specsOf(bundle.code, releases, options.loadWithinMs);
  const hash = hashOf(specs, bundle.code);
  const folder = join(releases, hash);
  const manifest: Manifest = { hash, bundle: sha256(bundle.code), specs };
  await writeFolderAtomically(folder, {
    [BUNDLE_FILE]: bundle.code,
    [`${BUNDLE_FILE}.map`]: bundle.sourceMap,
    [MANIFEST_FILE]: JSON.stringify(manifest, undefined, 2),
  });
  return { hash, specs, folder };
}

async function specsOf(code: Uint8Array, releases: string, withinMs: number | undefined): Promise<PipelineSpec[]> {
  const draft = join(releases, `.draft-${randomUUID()}.mjs`);
  await writeAtomically(draft, code);
  try {
    return await loadSpecs(draft, await programFile('release/inspect', releases), withinMs);
  } finally {
    await rm(draft);
  }
}

/** Of a module with several pipelines, the hash of all their release hashes: they are deployed together. */
function hashOf(specs: readonly PipelineSpec[], code: Uint8Array): string {
  const hashes = specs.map((spec) => hashRelease(spec, code));
  return hashes.length === 1 ? hashes[0]! : sha256(hashes.join('\n'));
}
