import { grantOf, shareOf } from '@autoflow/topology';
import type { Database, Sql } from './database.js';
import { HostTakenError } from './errors.js';
import { recordEvent } from './events.store.js';
import { LEASE_MS, type FleetStore, type HostIdentity, type HostRow, type Renewal, type ShareClaim } from './fleet.model.js';
import { many, one } from './rows.js';

/** Any constant will do; it only must not be used by others in the same database. */
const LOCK = 4_207_849_485;

export function fleetStore(database: Database): FleetStore {
  return {
    beat: (host, claims) => database.transaction((sql) => beat(sql, host, claims)),
    leave: ({ host, incarnation }) => database.transaction((sql) => leave(sql, host, incarnation)),
    hosts: () => many<HostRow>(database, HOSTS, [LEASE_MS]),
  };
}

/** One host at a time, so that none decides on what another is about to change. */
async function beat(sql: Sql, host: HostIdentity, claims: readonly ShareClaim[]): Promise<Renewal> {
  await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const gone = await sql.query<{ host: string }>(REMOVE_EXPIRED, [LEASE_MS]);
  const joined = await renew(sql, host);
  const holdings = await holdingsOf(sql, claims);
  const settled = claims.map((claim) => settle(claim, host.host, holdings.get(claim.name) ?? []));
  const changed = await write(sql, host.host, settled, holdings);
  for (const lost of gone) await recordEvent(sql, { type: 'host.lost', data: lost });
  if (joined) await recordEvent(sql, { type: 'host.joined', data: { host: host.host, roles: host.roles, version: host.version } });
  if (gone.length > 0 || joined || changed) await notify(sql, host.host);
  const grants = new Map(settled.flatMap(({ name, grant }) => (grant === undefined ? [] : [[name, grant] as const])));
  return { grants, ...(await one<Pick<Renewal, 'nextEndMs'>>(sql, NEXT_END, [host.host, LEASE_MS])) };
}

/** Clocks are read when the lock is held: a transaction that waited for it must not judge by the time at which it began. */
const EXPIRED = `seen_at < clock_timestamp() - $1 * interval '1 millisecond'`;
const REMOVE_EXPIRED = `
with gone as (delete from autoflow.hosts where ${EXPIRED} returning host),
said as (delete from autoflow.acknowledgements a using gone where a.host = gone.host)
select host from gone`;

const NEXT_END = `
select extract(epoch from min(seen_at) - clock_timestamp())::float8 * 1000 + $2 as "nextEndMs" from autoflow.hosts where host <> $1`;

async function renew(sql: Sql, { host, incarnation, roles, version, enforcement, bounds }: HostIdentity): Promise<boolean> {
  const [row] = await sql.query<{ joined: boolean }>(
    `insert into autoflow.hosts (host, incarnation, roles, version, enforcement, bounds) values ($1, $2, $3, $4, $5, $6)
     on conflict (host) do update set seen_at = clock_timestamp(), roles = excluded.roles, version = excluded.version, enforcement = excluded.enforcement,
       bounds = excluded.bounds
       where hosts.incarnation = excluded.incarnation
     returning xmax = 0 as joined`,
    [host, incarnation, roles, version, enforcement, bounds && JSON.stringify(bounds)],
  );
  if (row === undefined) throw new HostTakenError(host);
  return row.joined;
}

interface Holding {
  readonly name: string;
  readonly host: string;
  readonly amount: number;
  readonly wanted: boolean;
}

async function holdingsOf(sql: Sql, claims: readonly ShareClaim[]): Promise<Map<string, Holding[]>> {
  const rows = await sql.query<Holding>('select name, host, amount, wanted from autoflow.shares where name = any($1)', [
    claims.map(({ name }) => name),
  ]);
  const byName = new Map<string, Holding[]>();
  for (const row of rows) byName.set(row.name, [...(byName.get(row.name) ?? []), row]);
  return byName;
}

/** What the host may use, and what it is held to hold: no less than it says, until it says that it has let go. */
interface Settled {
  readonly name: string;
  readonly grant?: number;
  readonly amount: number;
  readonly wanted: boolean;
}

function settle({ name, held, want }: ShareClaim, host: string, holdings: readonly Holding[]): Settled {
  if (want === undefined) return { name, amount: held, wanted: false };
  const others = holdings.filter((holding) => holding.host !== host);
  const hosts = [host, ...others.filter(({ wanted }) => wanted).map((holding) => holding.host)];
  const share = shareOf({ name, ...want, hosts }, host);
  const grant = grantOf({ limit: want.limit, share, held, others: others.reduce((sum, { amount }) => sum + amount, 0) });
  return { name, grant, amount: Math.max(held, grant), wanted: true };
}

/** True when another host may get more or less by it. */
async function write(sql: Sql, host: string, settled: readonly Settled[], holdings: ReadonlyMap<string, Holding[]>): Promise<boolean> {
  const dropped = await sql.query('delete from autoflow.shares where host = $1 and name <> all($2) returning name', [
    host,
    settled.map(({ name }) => name),
  ]);
  const before = new Map(
    [...holdings.values()]
      .flat()
      .filter((each) => each.host === host)
      .map((each) => [each.name, each]),
  );
  const fresh = settled.filter(({ name, amount, wanted }) => before.get(name)?.amount !== amount || before.get(name)?.wanted !== wanted);
  if (fresh.length > 0)
    await sql.query(
      `insert into autoflow.shares (name, host, amount, wanted) select name, $1, amount, wanted
         from json_to_recordset($2) s (name text, amount float8, wanted boolean)
       on conflict (name, host) do update set amount = excluded.amount, wanted = excluded.wanted`,
      [host, JSON.stringify(fresh)],
    );
  return dropped.length > 0 || fresh.some(({ name, amount, wanted }) => isNews(before.get(name), amount, wanted));
}

const isNews = (before: Holding | undefined, amount: number, wanted: boolean): boolean =>
  before === undefined || before.wanted !== wanted || amount < before.amount;

async function leave(sql: Sql, host: string, incarnation: string): Promise<void> {
  await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const left = await sql.query('delete from autoflow.hosts where host = $1 and incarnation = $2 returning host', [host, incarnation]);
  if (left.length === 0) return;
  await sql.query('delete from autoflow.acknowledgements where host = $1', [host]);
  await recordEvent(sql, { type: 'host.left', data: { host } });
  await notify(sql, host);
}

const notify = (sql: Sql, host: string): Promise<object[]> => sql.query(`select pg_notify('autoflow_hosts', $1)`, [host]);

const HOSTS = `
select h.host, h.incarnation, h.roles, h.version, h.enforcement, h.bounds, h.started_at as "startedAt", h.seen_at as "seenAt", coalesce(p.pools, '[]') as pools
  from autoflow.hosts h
  left join lateral (
    select json_agg(json_build_object('pipeline', pipeline, 'version', version, 'stage', stage, 'memoryMb', memory_mb,
                                      'concurrency', concurrency, 'instances', instances) order by pipeline, version, stage, memory_mb) as pools
      from autoflow.acknowledgements a where a.host = h.host) p on true
 where not ${EXPIRED.replace('seen_at', 'h.seen_at')} order by h.host`;
