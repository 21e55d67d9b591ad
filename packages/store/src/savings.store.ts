import type { Database } from './database.js';
import type { SavingsDayRow, SavingsStore } from './savings.model.js';

export function savingsStore(database: Database): SavingsStore {
  return {
    keep: async ({ pipeline, version, against, from, to, savings }) => {
      await database.query(
        `insert into autoflow.savings_days (pipeline, version, against, from_at, to_at, savings)
         values ($1, $2, $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000), $6) on conflict do nothing`,
        [pipeline, version, against, from, to, JSON.stringify(savings)],
      );
    },
    days: (pipeline, from, to) =>
      database.query<SavingsDayRow>(
        `select pipeline, version, against, extract(epoch from from_at)::float8 * 1000 as from, extract(epoch from to_at)::float8 * 1000 as to, savings
           from autoflow.savings_days
          where pipeline = $1 and from_at >= to_timestamp($2::float8 / 1000) and from_at < to_timestamp($3::float8 / 1000) order by from_at, version`,
        [pipeline, from, to],
      ),
  };
}
