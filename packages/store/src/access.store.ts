import { createHash, randomBytes } from 'node:crypto';
import { audit } from './audit.js';
import type { Database } from './database.js';
import type { AccessStore, AuditRow } from './model.js';
import { many, one } from './rows.js';

type Role = 'viewer' | 'operator' | 'admin';

/**
 * Tokens are stored as SHA-256 only (they are random, so no salt is needed) and looked up by it: how long the comparison takes tells
 * nothing about a token. One token per name: making it again replaces it.
 */
export function accessStore(database: Database): AccessStore {
  return {
    createToken: (name, role, token = `af_${randomBytes(32).toString('base64url')}`, by = { actor: 'system', reason: 'set-up' }) =>
      database.transaction(async (sql) => {
        await sql.query(
          `insert into autoflow.tokens (hash, name, role) values ($1, $2, $3)
           on conflict (name) do update set hash = excluded.hash, role = excluded.role, created_at = now()`,
          [hashOf(token), name, role],
        );
        await audit(sql, by, { action: 'token.create', after: { name, role } });
        return token;
      }),
    findToken: (token) =>
      one<{ name: string; role: Role }>(database, 'select name, role from autoflow.tokens where hash = $1', [hashOf(token)]),
    audit: ({ pipeline, limit, before }) =>
      many<AuditRow>(
        database,
        `select id, at, actor, action, pipeline, reason, before, after, request_id as "requestId" from autoflow.audit
          where ($1::text is null or pipeline = $1) and ($2::bigint is null or id < $2) order by id desc limit $3`,
        [pipeline, before, limit],
      ),
  };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
