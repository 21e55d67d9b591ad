import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { StoredBundle } from '@autoflow/store';
import { ReleaseError } from './errors.js';
import { checkBundle, installRelease } from './install-release.js';
import { readRelease, type InstalledRelease } from './read-release.js';

/** Where releases lie that are not on this host yet: undefined for one that is not there either. */
export type ReleaseSource = (hash: string) => Promise<StoredBundle | undefined>;

/** How long a source that fails is asked again. */
const ASK_FOR_MS = 20_000;
const FIRST_PAUSE_MS = 100;

/**
 * A release of this host, fetched first if it is not here, or not as it was built. A source that is down for a moment is waited for.
 * Throws `ReleaseError`.
 */
export async function provideRelease(
  folder: string,
  hash: string,
  source: ReleaseSource | undefined,
  askForMs = ASK_FOR_MS,
): Promise<InstalledRelease> {
  try {
    return await readRelease(folder, hash);
  } catch (error) {
    if (source === undefined || !(error instanceof ReleaseError)) throw error;
    const bundle = await patiently(hash, source, askForMs);
    if (bundle === undefined) throw error;
    checkBundle(hash, bundle);
    if (error.code === 'RELEASE_DAMAGED') await rm(join(folder, hash), { recursive: true, force: true });
    await installRelease(folder, bundle);
    return readRelease(folder, hash);
  }
}

async function patiently(hash: string, source: ReleaseSource, askForMs: number): Promise<StoredBundle | undefined> {
  const deadline = performance.now() + askForMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await source(hash);
    } catch (error) {
      if (performance.now() + pauseMs > deadline)
        throw new ReleaseError('RELEASE_UNAVAILABLE', `Release ${hash} cannot be fetched: ${(error as Error).message}`, { cause: error });
      await after(pauseMs);
    }
  }
}
