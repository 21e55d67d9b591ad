import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { ReleaseManifest, StoredBundle } from '@autoflow/store';
import { hashModule, sha256 } from '@autoflow/topology/hash';
import { programFile } from '../programs.js';
import { bundleModule } from './bundle.js';
import { hasherOf } from './function-hashes/function-hashes.js';
import { Inspector } from './inspector.js';
import { installRelease } from './install-release.js';
import { writeAtomically } from './write-atomically.js';

export interface Release extends Required<StoredBundle> {
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
  const draft = join(releases, `.draft-${randomUUID()}.mjs`);
  // It comes up while the bundler works.
  const inspector = programFile('release/inspect', releases).then((program) => new Inspector(program));
  inspector.catch(() => {});
  try {
    const bundle = await bundleModule(modulePath);
    const { code, sourceMap } = bundle;
    await writeAtomically(draft, code);
    // The bundle is loaded there while it is read here.
    const [specs, hashesOf] = await Promise.all([(await inspector).specsIn(draft, options.loadWithinMs), hasherOf(bundle)]);
    const manifest: ReleaseManifest = { hash: hashModule(specs, code), bundle: sha256(code), specs, functions: hashesOf(specs) };
    const folder = await installRelease(releases, { manifest, code, sourceMap });
    return { hash: manifest.hash, specs, folder, manifest, code, sourceMap };
  } finally {
    await inspector.then((each) => each.close()).catch(() => {});
    await rm(draft, { force: true });
  }
}
