import { join } from 'node:path';
import type { StoredBundle } from '@autoflow/store';
import { hashModule, sha256 } from '@autoflow/topology/hash';
import { ReleaseError } from './errors.js';
import { BUNDLE_FILE, MANIFEST_FILE } from './read-release.js';
import { writeFolderAtomically } from './write-atomically.js';

/** Writes a release into the folder of releases, whole or not at all, and answers its own folder. One that is there already is kept. */
export async function installRelease(releases: string, { manifest, code, sourceMap }: StoredBundle): Promise<string> {
  const folder = join(releases, manifest.hash);
  await writeFolderAtomically(folder, {
    [BUNDLE_FILE]: code,
    ...(sourceMap !== undefined && { [`${BUNDLE_FILE}.map`]: sourceMap }),
    [MANIFEST_FILE]: JSON.stringify(manifest, undefined, 2),
  });
  return folder;
}

/** Throws `RELEASE_DAMAGED` unless the bundle is the one that the hash names, wiring and code. */
export function checkBundle(hash: string, { manifest, code }: StoredBundle): void {
  if (manifest.hash === hash && manifest.bundle === sha256(code) && hashModule(manifest.specs, code) === hash) return;
  throw new ReleaseError(
    'RELEASE_DAMAGED',
    `What the store holds as release ${hash} is not what the hash names: the manifest or the code was changed. Deploy it again.`,
  );
}
