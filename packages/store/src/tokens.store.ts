/** Tokens are made, rotated and revoked here; `access.store.ts` finds them again. Each change is one transaction with its audit row. */
import { createHash, randomBytes } from 'node:crypto';
import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { AlreadyExistsError, LastAdminError, NotFoundError } from './errors.js';
import { many, one } from './rows.js';
import type { TokenRow, TokenStore } from './tokens.model.js';

const TOKEN = `select name, role, created_at as "createdAt", expires_at as "expiresAt", rotated_at as "rotatedAt", last_used_at as "lastUsedAt",
  case when previous_hash is not null and previous_until > now() then previous_until end as "previousUntil" from autoflow.tokens`;

export function tokenStore(database: Database): TokenStore {
  return {
    list: ({ limit, after }) =>
      many<TokenRow>(database, `${TOKEN} where ($1::text is null or name > $1 collate "C") order by name collate "C" limit $2`, [
        after,
        limit,
      ]),
    get: (name) => find(database, name),
    create: (request) => database.transaction((sql) => create(sql, request)),
    rotate: (request) => database.transaction((sql) => rotate(sql, request)),
    revoke: (request) => database.transaction((sql) => revoke(sql, request)),
  };
}

async function create(sql: Sql, { name, role, expiresAt, by }: Parameters<TokenStore['create']>[0]) {
  const token = newToken();
  const inserted = await sql.query(
    'insert into autoflow.tokens (hash, name, role, expires_at) values ($1, $2, $3, $4) on conflict (name) do nothing returning name',
    [hashOf(token), name, role, expiresAt],
  );
  if (inserted.length === 0) throw new AlreadyExistsError('token', name);
  await audit(sql, by, { action: 'token.create', after: { name, role, ...(expiresAt !== undefined && { expiresAt }) } });
  return { row: (await find(sql, name))!, token };
}

async function rotate(sql: Sql, { name, graceSeconds, expiresAt, by }: Parameters<TokenStore['rotate']>[0]) {
  const before = await locked(sql, name);
  const isLast = await isLastAdmin(sql, before);
  if (isLast && expiresAt !== undefined) throw new LastAdminError(name, 'given an expiry');
  const token = newToken();
  await sql.query(
    `update autoflow.tokens set previous_hash = hash, previous_until = now() + make_interval(secs => $3), previous_until_used = $4,
       hash = $2, rotated_at = now(), last_used_at = null, expires_at = coalesce($5, expires_at) where name = $1`,
    [name, hashOf(token), graceSeconds, isLast, expiresAt],
  );
  await audit(sql, by, { action: 'token.rotate', before: { name, role: before.role }, after: { name, role: before.role, graceSeconds } });
  return { row: (await find(sql, name))!, token };
}

async function revoke(sql: Sql, { name, by }: Parameters<TokenStore['revoke']>[0]): Promise<TokenRow> {
  const before = await locked(sql, name);
  if (await isLastAdmin(sql, before)) throw new LastAdminError(name, 'revoked');
  await sql.query('delete from autoflow.tokens where name = $1', [name]);
  await audit(sql, by, { action: 'token.revoke', before: { name, role: before.role } });
  return before;
}

/** All admins, in one order: of two that revoke each other, the second sees what the first has done. */
async function locked(sql: Sql, name: string): Promise<TokenRow> {
  await sql.query(`select from autoflow.tokens where role = 'admin' or name = $1 order by name for update`, [name]);
  const row = await find(sql, name);
  if (row === undefined) throw new NotFoundError('token', name);
  return row;
}

/** One that expires is no way in for ever, so it does not count. */
async function isLastAdmin(sql: Sql, { name, role, expiresAt }: TokenRow): Promise<boolean> {
  if (role !== 'admin' || expiresAt !== undefined) return false;
  const others = await sql.query(`select from autoflow.tokens where role = 'admin' and expires_at is null and name <> $1 limit 1`, [name]);
  return others.length === 0;
}

const find = (sql: Sql, name: string) => one<TokenRow>(sql, `${TOKEN} where name = $1`, [name]);

export function newToken(): string {
  return `af_${randomBytes(32).toString('base64url')}`;
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
