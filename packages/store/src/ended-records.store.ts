import type { Database } from './database.js';
import type { EndedRecordRow, EndedRecordsQuery, EndedRecordsStore } from './ended-records.model.js';

const SLICE_MS = 2_000;
const ENDED = `from autoflow.records where pipeline = $1 and scope = $2 and position($3 in key) > 0
  and ended_at >= to_timestamp($4::float8 / 1000) and ended_at < to_timestamp($5::float8 / 1000)`;

export function endedRecordsStore(database: Database): EndedRecordsStore {
  return {
    clock: async () => {
      const [row] = await database.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as now', []);
      return row!.now;
    },
    count: async (query) => {
      const [row] = await database.query<{ n: number }>(`select count(*)::float8 as n ${ENDED}`, parameters(query));
      return row!.n;
    },
    read: (query) => read(database, query),
  };
}

async function* read(database: Database, query: EndedRecordsQuery): AsyncGenerator<EndedRecordRow> {
  for (let from = query.from; from < query.to; from += SLICE_MS)
    yield* await database.query<EndedRecordRow>(
      `select key, state, extract(epoch from ended_at)::float8 * 1000 as "endedAt" ${ENDED} order by ended_at`,
      parameters({ ...query, from, to: Math.min(query.to, from + SLICE_MS) }),
    );
}

const parameters = ({ pipeline, scope, mark, from, to }: EndedRecordsQuery): unknown[] => [pipeline, scope, mark, from, to];
