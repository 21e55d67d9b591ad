import type { Store } from '@autoflow/store';

const NAME = 'admin-of-settings';

/**
 * The token is an admin's when this resolves: the way in where nobody has made one yet. Another one in its place, at the next start, replaces it.
 * Rejects when the token is that of somebody with another role.
 */
export async function ensureAdminToken({ access }: Pick<Store, 'access'>, token: string): Promise<void> {
  const owner = await access.findToken(token);
  if (owner === undefined) await access.createToken(NAME, 'admin', token, { actor: 'system', reason: 'AUTOFLOW_ADMIN_TOKEN' });
  else if (owner.role !== 'admin')
    throw new Error(`AUTOFLOW_ADMIN_TOKEN is the token ${owner.name}, which has the role ${owner.role}. Give another one.`);
}
