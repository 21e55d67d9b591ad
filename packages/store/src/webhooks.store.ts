import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import { HEAD, placeOf, recordEvent } from './events.store.js';
import type { ClaimedWebhook, WebhookRow, WebhookStore } from './events.model.js';
import { many, one } from './rows.js';

const COLUMNS = `w.id, w.url, w.types, w.pipelines, w.created_at as "createdAt", w.delivered, w.attempts, w.failing_since as "failingSince",
  w.next_at as "nextAt", w.last_error as "lastError", w.disabled_at as "disabledAt"`;
const WEBHOOK = `select ${COLUMNS} from autoflow.webhooks w`;

export function webhookStore(database: Database): WebhookStore {
  return {
    create: ({ id, url, types, pipelines, secret }, by) =>
      database.transaction(async (sql) => {
        const [{ place } = { place: '' }] = await sql.query<{ place: string }>(`select ${HEAD} as place`);
        const { tx, id: cursor } = placeOf(place);
        await sql.query(
          `insert into autoflow.webhooks (id, url, types, pipelines, secret, cursor_tx, cursor_id) values ($1, $2, $3, $4, $5, $6::text::xid8, $7)`,
          [id, url, types, pipelines, secret, tx, cursor],
        );
        await audit(sql, by, { action: 'webhook.create', after: { id, origin: new URL(url).origin, types, pipelines } });
        return (await find(sql, id))!;
      }),
    list: () => many<WebhookRow>(database, `${WEBHOOK} order by w.created_at, w.id`, []),
    get: (id) => find(database, id),
    remove: (id, by) =>
      database.transaction(async (sql) => {
        const gone = await sql.query('delete from autoflow.webhooks where id = $1 returning id', [id]);
        if (gone.length > 0) await audit(sql, by, { action: 'webhook.remove', before: { id } });
        return gone.length > 0;
      }),
    claim: (leaseMs) => many<ClaimedWebhook>(database, CLAIM, [leaseMs / 1000]),
    delivered: async (id, place, events, leaseMs) => {
      const { tx, id: cursor } = placeOf(place);
      // Passing events that it does not want says nothing of its receiver.
      await database.query(
        `update autoflow.webhooks set cursor_tx = $2::text::xid8, cursor_id = $3, delivered = delivered + $4,
           attempts = case when $4 = 0 then attempts else 0 end, failing_since = case when $4 = 0 then failing_since end,
           last_error = case when $4 = 0 then last_error end, next_at = now(), lease_until = now() + make_interval(secs => $5) where id = $1`,
        [id, tx, cursor, events, leaseMs / 1000],
      );
    },
    failed: (id, error, retryMs, giveUpMs) =>
      database.transaction(async (sql) => {
        const [row] = await sql.query<{ disabled: boolean; attempts: number; url: string }>(
          `update autoflow.webhooks set attempts = attempts + 1, failing_since = coalesce(failing_since, now()), last_error = $2,
             next_at = now() + make_interval(secs => $3), lease_until = null,
             disabled_at = case when failing_since < now() - make_interval(secs => $4) then now() end
            where id = $1 returning disabled_at is not null as disabled, attempts, url`,
          [id, error, retryMs / 1000, giveUpMs / 1000],
        );
        if (row?.disabled !== true) return false;
        const data = { id, origin: new URL(row.url).origin, attempts: row.attempts, error };
        await recordEvent(sql, { type: 'webhook.disabled', data });
        return true;
      }),
  };
}

/** Only one that has something to read: an idle webhook costs one look into the index of events. */
const CLAIM = `
update autoflow.webhooks w set lease_until = now() + make_interval(secs => $1)
  from (select id from autoflow.webhooks c
         where disabled_at is null and next_at <= now() and (lease_until is null or lease_until <= now())
           and exists (select from autoflow.events e where (e.tx, e.id) > (c.cursor_tx, c.cursor_id) and e.tx < pg_snapshot_xmin(pg_current_snapshot()))
         order by id for update skip locked) due
 where w.id = due.id
returning ${COLUMNS}, w.secret, w.cursor_tx::text || '-' || w.cursor_id as place`;

const find = (sql: Sql, id: string) => one<WebhookRow>(sql, `${WEBHOOK} where w.id = $1`, [id]);
