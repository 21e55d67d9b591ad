import { audit } from './audit.js';
import type { Database, Sql } from './database.js';
import type { Actor } from './definitions.model.js';
import { NotFoundError } from './errors.js';
import { insertWaiting } from './inbox-rows.js';
import { AHEAD_AT_MOST, type Acceptance, type InboxStore, type NewRecord, type Waiting, type WaitingRecord } from './inbox.model.js';
import type { RecordRow } from './ledger.model.js';
import { notify } from './notify.js';
import { many, one } from './rows.js';
import { checkKeys } from './text.js';

const LIVE = 'live';
const WAITING = `select pipeline, scope, key, arrived_at as "arrivedAt", due_at as "dueAt", version, feeds, backfill_id as "backfillId" from autoflow.inbox i`;

/** Records that wait. What becomes of them is in the ledger. */
export function inboxStore(database: Database): InboxStore {
  return {
    accept: (request) => accept(database, request),
    waiting: async (pipeline) =>
      (await one<Waiting>(
        database,
        `select count(*) as records, coalesce(sum(bytes), 0)::int8 as bytes, min(arrived_at) as "oldestAt"
           from autoflow.inbox where pipeline = $1 and backfill_id is null`,
        [pipeline],
      ))!,
    position: (pipeline, key, scope = LIVE) =>
      one<WaitingRecord>(
        database,
        `${WAITING.replace(' from ', `, (${AHEAD}) as ahead from `)} where pipeline = $1 and scope = $2 and key = $3`,
        [pipeline, scope, key],
      ),
    list: ({ pipeline, scope, since, limit, after }) => {
      const slash = after?.indexOf('/') ?? -1;
      const [lastScope, lastKey] = scope !== undefined ? [scope, after] : [after?.slice(0, slash), after?.slice(slash + 1)];
      return many<Omit<WaitingRecord, 'ahead'>>(
        database,
        `${WAITING} where pipeline = $1 and ($2::text is null or scope = $2) and ($4::text is null or (scope, key) > ($3::text, $4::text))
          and ($6::timestamptz is null or arrived_at >= $6) order by scope, key limit $5`,
        [pipeline, scope, lastScope, lastKey, limit, since],
      );
    },
    cancel: (pipeline, key, by, scope = LIVE) => database.transaction((sql) => cancel(sql, pipeline, scope, key, by)),
  };
}

/** Of the same stream: live records are claimed in their order of arrival. */
const AHEAD = `select count(*) from (
  select from autoflow.inbox o where o.pipeline = i.pipeline and o.stream = i.stream and o.id < i.id limit ${AHEAD_AT_MOST}) before`;

type Acceptances = Parameters<InboxStore['accept']>[0];

async function accept(database: Database, request: Acceptances): Promise<Acceptance[]> {
  checkKeys(request.records);
  if (request.records.length === 0) return [];
  return database.transaction(async (sql) => {
    await mustExist(sql, request.pipeline);
    return acceptInto(sql, request);
  });
}

/**
 * The unique key of the inbox comes first and the look into the ledger after it, in a statement of its own: a record that is being claimed
 * meanwhile is seen either here or there.
 */
export async function acceptInto(
  sql: Sql,
  {
    pipeline,
    scope,
    records,
    trace,
  }: { pipeline: string; scope: string; records: readonly (NewRecord & { readonly arrivedAt?: Date })[]; trace?: string | undefined },
): Promise<Acceptance[]> {
  const first = firstOfEachKey(records);
  const inserted = new Set(await insertWaiting(sql, { pipeline, scope, trace }, first));
  const known = await knownTo(sql, pipeline, scope, first);
  await removeKnown(sql, pipeline, scope, known, inserted, first);
  const others = await waitingDigests(
    sql,
    pipeline,
    scope,
    first.filter(({ key }) => !inserted.has(key)),
  );
  if (inserted.size > 0) await notify(sql, ['autoflow_inbox'], pipeline);
  return answers(records, { inserted, known, others });
}

async function mustExist(sql: Sql, pipeline: string): Promise<void> {
  if ((await sql.query('select from autoflow.pipelines where name = $1', [pipeline])).length === 0)
    throw new NotFoundError('pipeline', pipeline);
}

function firstOfEachKey(records: readonly NewRecord[]): readonly NewRecord[] {
  const first = new Map<string, NewRecord>();
  for (const record of records) if (!first.has(record.key)) first.set(record.key, record);
  return first.size === records.length ? records : [...first.values()];
}

interface Known {
  readonly key: string;
  readonly state: RecordRow['state'];
  readonly digest?: string;
  /** It died at the landing table, and has never been taken in: its key is free for whoever corrects it. */
  readonly refused: boolean;
}

async function knownTo(sql: Sql, pipeline: string, scope: string, records: readonly NewRecord[]): Promise<ReadonlyMap<string, Known>> {
  const rows = await many<Known>(
    sql,
    `select key, state, encode(digest, 'hex') as digest, state = 'dead' and batch_id = '' as refused from autoflow.records where pipeline = $1 and scope = $2 and key = any ($3)`,
    [pipeline, scope, records.map(({ key }) => key)],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** Takes back what was inserted in vain, unless it is to run again or its key was never taken. */
async function removeKnown(
  sql: Sql,
  pipeline: string,
  scope: string,
  known: ReadonlyMap<string, Known>,
  inserted: Set<string>,
  records: readonly NewRecord[],
): Promise<void> {
  const again = new Set(records.filter(({ replace }) => replace).map(({ key }) => key));
  const met = [...known.values()].filter(({ key }) => inserted.has(key));
  const vain = met.filter(({ key, state, refused }) => !refused && !(again.has(key) && state !== 'running')).map(({ key }) => key);
  const corrected = met.filter(({ refused }) => refused).map(({ key }) => key);
  if (corrected.length > 0)
    await sql.query('update autoflow.inbox set replace = true where pipeline = $1 and scope = $2 and key = any ($3)', [
      pipeline,
      scope,
      corrected,
    ]);
  if (vain.length === 0) return;
  await sql.query('delete from autoflow.inbox where pipeline = $1 and scope = $2 and key = any ($3)', [pipeline, scope, vain]);
  for (const key of vain) inserted.delete(key);
}

async function waitingDigests(
  sql: Sql,
  pipeline: string,
  scope: string,
  records: readonly NewRecord[],
): Promise<ReadonlyMap<string, string>> {
  if (records.length === 0) return new Map();
  const rows = await sql.query<{ key: string; digest: string }>(
    `select key, encode(digest, 'hex') as digest from autoflow.inbox where pipeline = $1 and scope = $2 and key = any ($3)`,
    [pipeline, scope, records.map(({ key }) => key)],
  );
  return new Map(rows.map(({ key, digest }) => [key, digest]));
}

interface Found {
  readonly inserted: ReadonlySet<string>;
  readonly known: ReadonlyMap<string, Known>;
  readonly others: ReadonlyMap<string, string>;
}

function answers(records: readonly NewRecord[], { inserted, known, others }: Found): Acceptance[] {
  const first = new Map<string, string>();
  return records.map(({ key, digest }): Acceptance => {
    const twin = first.get(key);
    if (twin === undefined) first.set(key, digest);
    if (twin === undefined && inserted.has(key)) return { state: 'accepted' };
    const waits = inserted.has(key) || others.has(key);
    const as = waits ? 'waiting' : (known.get(key)?.state ?? 'waiting');
    const there = inserted.has(key) ? twin : waits ? others.get(key) : known.get(key)?.digest;
    return { state: there === undefined || there === digest ? 'known' : 'conflict', as };
  });
}

async function cancel(sql: Sql, pipeline: string, scope: string, key: string, by: Actor): Promise<boolean> {
  const cancelled = await sql.query(
    `with gone as (
       delete from autoflow.inbox where pipeline = $1 and scope = $2 and key = $3 returning key, digest, arrived_at, feeds, backfill_id)
     , progress as (
       update autoflow.backfills b set settled = settled + 1, cancelled = cancelled + 1 from gone where b.id = gone.backfill_id)
     insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at, digest, feeds)
     select $1, $2, gone.key, 'cancelled', '', v.name, v.release, gone.arrived_at, now(), gone.digest, gone.feeds
       from gone join autoflow.pipelines p on p.name = $1 join autoflow.versions v on v.pipeline = p.name and v.name = p.stable_version
     on conflict (pipeline, scope, key) do update set state = 'cancelled', batch_id = '', ended_at = now(), output = null, ended_by = null,
       reason = null, message = null
     returning key`,
    [pipeline, scope, key],
  );
  if (cancelled.length === 0) return false;
  await notify(sql, ['autoflow_outcomes'], pipeline);
  await audit(sql, by, { action: 'record.cancel', pipeline, after: { scope, key } });
  return true;
}
