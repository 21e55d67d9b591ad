import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '@autoflow/store';
import { readToken } from './published.js';

/** The admin token of this stack, in a file that only its user can read. The one that is there stays; the database learns it if it has forgotten. */
export async function ensureAdminToken(folder: string, store: Pick<Store, 'access'>): Promise<{ token: string; file: string }> {
  const file = join(folder, 'admin-token');
  const token = readToken(file) || `af_${randomBytes(32).toString('base64url')}`;
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  if ((await store.access.findToken(token)) === undefined) await store.access.createToken(nameFor(folder), 'admin', token);
  return { token, file };
}

/** Stacks may share a database: a name of its own each, or one would replace the other's token. */
function nameFor(folder: string): string {
  return `local-admin-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
}
