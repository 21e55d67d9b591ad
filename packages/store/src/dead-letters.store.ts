import { audit } from './audit.js';
import type { Database } from './database.js';
import type { DeadLetterStore, Letter, LetterFilter, LetterGroup } from './dead-letters.model.js';
import { KEY_IS_MADE_UP } from './landing.js';
import { many, one } from './rows.js';

/** One whose record was run again is past: the record's row names another batch, or another outcome. */
const CURRENT = `exists (
  select from autoflow.records r where r.pipeline = d.pipeline and r.scope = d.scope and r.key = d.key and r.batch_id = d.batch_id and r.state = 'dead')`;
const STATE = `case when d.fate is not null then d.fate when ${CURRENT} then 'open' else 'past' end`;
const LETTER = `select d.id::text as id, d.pipeline, d.scope, d.key, d.version, d.release, d.died_in as "in", d.code, d.message, d.died_at as "diedAt",
  d.record, ${STATE} as state, ${KEY_IS_MADE_UP} as keyless,
  (select encode(r.digest, 'hex') from autoflow.records r where r.pipeline = d.pipeline and r.scope = d.scope and r.key = d.key) as digest,
  case when d.fate is not null then json_build_object('at', d.fate_at, 'actor', d.fate_by, 'reason', d.fate_reason) end as fate from autoflow.dead_letters d`;
/** Says what the planner can use first: an open letter has no fate. */
const MATCHES = `d.pipeline = $1 and ($2 = 'any' or $2 = 'open' and d.fate is null and ${CURRENT} or d.fate = $2 or $2 = 'past' and d.fate is null and not ${CURRENT})
  and ($3::text is null or d.scope = $3) and ($4::text is null or d.code = $4) and ($5::text is null or d.died_in = $5)
  and ($6::text is null or d.version = $6) and ($7::text is null or d.release = $7) and ($8::timestamptz is null or d.died_at >= $8)
  and ($9::boolean is null or ${KEY_IS_MADE_UP} = $9)`;

/** Dead letters and what became of them. They are never deleted here: a fate is added, the letter stays. */
export function deadLetterStore(database: Database): DeadLetterStore {
  return {
    list: async ({ limit, after, ...filter }) =>
      (
        await many<Letter>(database, `${LETTER} where ${MATCHES} and ($10::bigint is null or d.id < $10) order by d.id desc limit $11`, [
          ...values(filter),
          after,
          limit,
        ])
      ).map(dated),
    count: async (filter) => {
      const [row] = await database.query<{ n: number }>(
        `select count(*) as n from autoflow.dead_letters d where ${MATCHES}`,
        values(filter),
      );
      return row!.n;
    },
    groups: ({ limit, ...filter }) =>
      database.query<LetterGroup>(
        `select d.code, d.died_in as "in", count(*) as count, min(d.died_at) as "firstAt", max(d.died_at) as "lastAt",
                (array_agg(d.message order by d.id desc))[1] as message
           from autoflow.dead_letters d where ${MATCHES} group by d.code, d.died_in order by count(*) desc, d.code, d.died_in limit $10`,
        [...values(filter), limit],
      ),
    get: async (pipeline, id) => {
      // Ids are numbers; whatever else is asked for is not there.
      const found = /^[0-9]{1,18}$/.test(id)
        ? await one<Letter>(database, `${LETTER} where d.pipeline = $1 and d.id = $2`, [pipeline, id])
        : undefined;
      return found && dated(found);
    },
    history: async (pipeline, scope, key) =>
      (
        await many<Letter>(database, `${LETTER} where d.pipeline = $1 and d.scope = $2 and d.key = $3 order by d.id`, [
          pipeline,
          scope,
          key,
        ])
      ).map(dated),
    settle: (request) => settle(database, request),
  };
}

function values({ pipeline, state = 'open', scope, code, in: place, version, release, since, keyless }: LetterFilter): unknown[] {
  return [pipeline, state, scope, code, place, version, release, since, keyless];
}

/** Inside JSON, times are texts. */
function dated(letter: Letter): Letter {
  return letter.fate === undefined ? letter : { ...letter, fate: { ...letter.fate, at: new Date(letter.fate.at) } };
}

async function settle(database: Database, { pipeline, ids, fate, by, note }: Parameters<DeadLetterStore['settle']>[0]): Promise<string[]> {
  return database.transaction(async (sql) => {
    const settled = await sql.query<{ id: string }>(
      `update autoflow.dead_letters d set fate = $3, fate_at = now(), fate_by = $4, fate_reason = $5
        where d.pipeline = $1 and d.id = any ($2::bigint[]) and d.fate is null returning d.id::text as id`,
      [pipeline, ids, fate, by.actor, by.reason],
    );
    const done = settled.map(({ id }) => id);
    if (done.length > 0)
      await audit(sql, by, { action: `dead-letters.${fate}`, pipeline, after: { ...note, count: done.length, ids: done } });
    return done;
  });
}
