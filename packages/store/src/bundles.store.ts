import type { BundleStore, ReleaseManifest, StoredBundle } from './bundles.model.js';
import type { Database } from './database.js';
import { one } from './rows.js';

export function bundleStore(database: Database): BundleStore {
  const manifestOf = async (hash: string) =>
    (await one<{ manifest: ReleaseManifest }>(database, 'select manifest from autoflow.bundles where hash = $1', [hash]))?.manifest;
  return {
    put: async ({ manifest, code, sourceMap }) => {
      const inserted = await database.query(
        'insert into autoflow.bundles (hash, manifest, code, source_map) values ($1, $2, $3, $4) on conflict do nothing returning hash',
        [manifest.hash, JSON.stringify(manifest), Buffer.from(code), sourceMap && Buffer.from(sourceMap)],
      );
      return { created: inserted.length > 0 };
    },
    manifest: manifestOf,
    // As text: the driver's binary format takes bytes for UTF-8.
    get: (hash) =>
      one<StoredBundle>(database, 'select manifest, code, source_map as "sourceMap" from autoflow.bundles where hash = $1', [hash]),
  };
}
