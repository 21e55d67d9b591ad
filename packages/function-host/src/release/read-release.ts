import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { ReleaseManifest } from '@autoflow/store';
import { sha256 } from '@autoflow/topology/hash';
import { ReleaseError } from './errors.js';

export const BUNDLE_FILE = 'index.mjs';
export const MANIFEST_FILE = 'release.json';

export interface InstalledRelease {
  readonly specs: readonly PipelineSpec[];
  readonly functions: ReleaseManifest['functions'];
  /** Absolute path of the bundle. */
  readonly bundle: string;
}

/** A release that lies on this host, its bundle checked against its hash. Throws `ReleaseError`. */
export async function readRelease(releasesFolder: string, hash: string): Promise<InstalledRelease> {
  const folder = join(releasesFolder, hash);
  const [text, code] = await Promise.all([readFile(join(folder, MANIFEST_FILE), 'utf8'), readFile(join(folder, BUNDLE_FILE))]).catch(
    (error: unknown) => {
      throw new ReleaseError(
        'RELEASE_MISSING',
        `Release ${hash} is neither in this host's folder of releases nor in the store. Deploy it again (autoflow deploy).`,
        {
          cause: error,
        },
      );
    },
  );
  const manifest = parsed(text);
  if (manifest?.hash !== hash || manifest.bundle !== sha256(code)) {
    throw new ReleaseError(
      'RELEASE_DAMAGED',
      `The files of release ${hash} are not the ones that were built. Remove its folder: the next start fetches it again.`,
    );
  }
  return { specs: manifest.specs, functions: manifest.functions, bundle: join(folder, BUNDLE_FILE) };
}

function parsed(text: string): ReleaseManifest | undefined {
  try {
    return JSON.parse(text) as ReleaseManifest;
  } catch {
    return undefined;
  }
}
