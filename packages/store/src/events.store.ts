import type { Database, Sql } from './database.js';
import type { EventRow, EventStore, NewEvent } from './events.model.js';
import { dense, many } from './rows.js';

const EVENT = `select tx::text || '-' || id as id, at, pipeline, type, data from autoflow.events`;
/** Everything written by a transaction older than all that run is there for good, and all there is. */
const SETTLED = `tx < pg_snapshot_xmin(pg_current_snapshot())`;
const PORTION = 10_000;

export function eventStore(database: Database): EventStore {
  return {
    append: (event) => database.transaction((sql) => recordEvent(sql, event)),
    after: (place, limit) => {
      const { tx, id } = placeOf(place);
      return many<EventRow>(database, `${EVENT} where (tx, id) > ($1::text::xid8, $2::bigint) and ${SETTLED} order by tx, id limit $3`, [
        tx,
        id,
        limit,
      ]);
    },
    head: async () => (await database.query<{ place: string }>(`select ${HEAD} as place`))[0]!.place,
    list: async ({ pipeline, types, limit, before }) => {
      const { tx, id } = before === undefined ? { tx: null, id: null } : placeOf(before);
      const rows = await database.query<EventRow>(
        `${EVENT} where ($1::text is null or pipeline = $1) and ($2::text[] is null or type = any ($2))
           and ($3::text is null or (tx, id) < ($3::text::xid8, $4::bigint)) and ${SETTLED} order by tx desc, id desc limit $5`,
        [pipeline, types, tx, id, limit],
      );
      return rows.map(dense);
    },
    removeOlderThan: async (time) => {
      let removed = 0;
      for (;;) {
        const gone = await database.query(
          `delete from autoflow.events where (tx, id) in (select tx, id from autoflow.events where at < $1 limit $2) returning id`,
          [time, PORTION],
        );
        removed += gone.length;
        if (gone.length < PORTION) return removed;
      }
    },
  };
}

/** Of a place without events: all that comes has a transaction that is not settled yet. */
export const HEAD = `(pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text || '-9223372036854775807'`;

/** Whatever is no place is the beginning. Ids are shown to the outside, so they come back in any form. */
export function placeOf(place: string): { tx: string; id: string } {
  const [, tx, id] = /^([0-9]{1,19})-([0-9]{1,19})$/.exec(place) ?? [];
  const fits = tx !== undefined && id !== undefined && BigInt(tx) < 2n ** 63n && BigInt(id) < 2n ** 63n;
  return fits ? { tx, id } : { tx: '0', id: '0' };
}

/** Belongs into the transaction of what it tells of, as its last statement: Postgres serialises commits that notify. */
export async function recordEvent(sql: Sql, { pipeline, type, data }: NewEvent): Promise<void> {
  await sql.query(
    `with told as (insert into autoflow.events (pipeline, type, data) values ($1, $2, $3)) select pg_notify('autoflow_events', $1)`,
    [pipeline, type, JSON.stringify(data)],
  );
}
