import type { Database, Sql } from './database.js';
import type { Begun, IdempotencyStore } from './idempotency.model.js';
import { one } from './rows.js';

/** No request takes so long: one that has neither ended nor failed by then has lost its process. */
const LOST = `interval '1 minute'`;
/** Dropped per new key, so that the table shrinks as long as it is used at all. */
const DROPPED = 20;

export function idempotencyStore(database: Database): IdempotencyStore {
  return {
    begin: (request) => database.transaction((sql) => begin(sql, request)),
    finish: async ({ actor, key, answer: { status, body, etag } }) =>
      void (await database.query('update autoflow.idempotency_keys set status = $3, body = $4, etag = $5 where actor = $1 and key = $2', [
        actor,
        key,
        status,
        body,
        etag,
      ])),
    forget: async ({ actor, key }) =>
      void (await database.query('delete from autoflow.idempotency_keys where actor = $1 and key = $2 and status is null', [actor, key])),
  };
}

async function begin(sql: Sql, request: Parameters<IdempotencyStore['begin']>[0]): Promise<Begun> {
  const { actor, key, route, digest, retentionHours } = request;
  await sql.query(
    `delete from autoflow.idempotency_keys where (actor, key) in (
       select actor, key from autoflow.idempotency_keys where created_at < now() - make_interval(hours => $1)
        order by created_at limit ${DROPPED} for update skip locked)`,
    [retentionHours],
  );
  // The row that has expired, or was lost, is taken over: its request counts as never sent.
  const taken = await sql.query(
    `insert into autoflow.idempotency_keys as k (actor, key, route, digest) values ($1, $2, $3, $4)
     on conflict (actor, key) do update set route = excluded.route, digest = excluded.digest, status = null, body = null, etag = null, created_at = now()
      where k.created_at < now() - make_interval(hours => $5)
         or k.status is null and k.created_at < now() - ${LOST} and k.route = excluded.route and k.digest = excluded.digest
     returning key`,
    [actor, key, route, Buffer.from(digest), retentionHours],
  );
  if (taken.length > 0) return { kind: 'begun' };
  const there = await one<{ route: string; same: boolean; status?: number; body?: string; etag?: string }>(
    sql,
    'select route, route = $3 and digest = $4 as same, status, body, etag from autoflow.idempotency_keys where actor = $1 and key = $2',
    [actor, key, route, Buffer.from(digest)],
  );
  if (there === undefined) return { kind: 'running' };
  const { same, status, body, etag } = there;
  if (!same) return { kind: 'reused', route: there.route };
  if (status === undefined) return { kind: 'running' };
  return { kind: 'answered', answer: { status, ...(body !== undefined && { body }), ...(etag !== undefined && { etag }) } };
}
