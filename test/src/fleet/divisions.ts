/** How limits were divided among the hosts that had a lease, at every change of it, by the database's clock. */
import type pg from 'pg';

/**
 * Table `divisions`: a row per limit whenever a host is granted something, lets go or is gone, and a row per pool whenever a host says what it
 * runs. One at a time, so that none of them is written before what another has just committed is seen.
 */
export async function watchDivisions(sql: pg.Pool): Promise<void> {
  await sql.query(`
    create table divisions (at timestamptz not null default clock_timestamp(), name text not null, shares jsonb not null);
    create function divided() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(1);
      insert into divisions (name, shares)
        select s.name, jsonb_object_agg(s.host, s.amount) from autoflow.shares s where s.wanted group by 1
        union all
        select 'pool/' || a.pipeline || '/' || a.stage, jsonb_object_agg(a.host, a.concurrency)
          from autoflow.acknowledgements a join autoflow.hosts h on h.host = a.host group by 1;
      return null;
    end $$;
    create trigger divided after insert or update or delete on autoflow.shares for each statement execute function divided();
    create trigger divided after insert on autoflow.acknowledgements for each statement execute function divided()`);
}

/** The clock that the divisions are told by; Unix seconds. */
export async function databaseTime(sql: pg.Pool): Promise<number> {
  const { rows } = await sql.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 as now');
  return rows[0]!.now;
}

export interface Division {
  readonly name: string;
  readonly limit: number;
  /** Exactly these have a part of it. */
  readonly hosts: readonly string[];
}

/**
 * Seconds from `since` to the first moment at which the parts of these hosts, and of nobody else, added up to the limit, and none was larger than
 * another by more than one; undefined when there has been none.
 */
export async function dividedAfter(sql: pg.Pool, { name, limit, hosts }: Division, since: number): Promise<number | undefined> {
  const { rows } = await sql.query<{ after: number | null }>(
    `select extract(epoch from min(at))::float8 - $2 as after from divisions
      where name = $1 and at > to_timestamp($2)
        and (select array_agg(host order by host) = $3 and abs(sum(part) - $4) < 1e-6 and max(part) - min(part) <= 1
               from (select key collate "C" as host, value::float8 as part from jsonb_each_text(shares)) parts)`,
    [name, since, hosts.toSorted(), limit],
  );
  return rows[0]!.after ?? undefined;
}
