import { audit } from './audit.js';
import type { Database } from './database.js';
import type { AccessStore, AuditRow } from './access.model.js';
import { many, one } from './rows.js';
import { hashOf, newToken } from './tokens.store.js';

type Role = 'viewer' | 'operator' | 'admin';

/**
 * Tokens are stored as SHA-256 only (they are random, so no salt is needed) and looked up by it: how long the comparison takes tells
 * nothing about a token. One token per name: making it again replaces it.
 */
export function accessStore(database: Database): AccessStore {
  return {
    createToken: (name, role, token = newToken(), by = { actor: 'system', reason: 'set-up' }) =>
      database.transaction(async (sql) => {
        await sql.query(
          `insert into autoflow.tokens (hash, name, role) values ($1, $2, $3)
           on conflict (name) do update set hash = excluded.hash, role = excluded.role, created_at = now(), expires_at = null, rotated_at = null,
             last_used_at = null, previous_hash = null, previous_until = null, previous_until_used = false`,
          [hashOf(token), name, role],
        );
        await audit(sql, by, { action: 'token.create', after: { name, role } });
        return token;
      }),
    findToken: (token) => one<{ name: string; role: Role }>(database, FIND_TOKEN, [hashOf(token)]),
    note: (change, by) => database.transaction((sql) => audit(sql, by, change)),
    audit: ({ pipeline, action, actor, since, limit, before }) =>
      many<AuditRow>(
        database,
        `select id, at, actor, action, pipeline, reason, before, after, request_id as "requestId" from autoflow.audit
          where ($1::text is null or pipeline = $1) and ($2::bigint is null or id < $2) and ($3::text is null or action = $3 or starts_with(action, $3 || '.'))
            and ($4::text is null or actor = $4) and ($5::timestamptz is null or at >= $5) order by id desc limit $6`,
        [pipeline, before, action, actor, since, limit],
      ),
  };
}

/** The token's own row or, after a rotation, that of the one in its place. Uses are written down once a minute: no request waits for another's. */
const FIND_TOKEN = `
with found as (
  select hash, name, role from autoflow.tokens
   where (hash = $1 or previous_hash = $1 and (previous_until > now() or previous_until_used and last_used_at is null))
     and (expires_at is null or expires_at > now())),
used as (
  update autoflow.tokens set last_used_at = now()
   where hash = $1 and exists (select from found) and (last_used_at is null or last_used_at < now() - interval '1 minute'))
select name, role from found`;
