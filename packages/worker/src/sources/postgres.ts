/** Rows of a query, read by cursor in a read-only transaction. */
import pg from 'pg';
import QueryStream from 'pg-query-stream';
import type { Fields } from '@autoflow/pipeline';
import { SourceError, type Source } from './source.js';

export interface PostgresSettings {
  readonly connectionString: string;
  /** Must have an order that is the same each time (`order by` a unique column): a backfill goes on where it stopped. */
  readonly query: string;
}

export function postgresSource(settings: PostgresSettings): Source {
  return {
    async *records(skip) {
      const client = new pg.Client({ connectionString: settings.connectionString, options: '-c default_transaction_read_only=on' });
      client.on('error', () => {});
      try {
        await client.connect();
        // The connection string may have options of its own, which count instead of ours. A cursor holds one statement: it cannot end the transaction.
        await client.query('begin read only');
        const rows = client.query(new QueryStream(settings.query, [], { batchSize: 500 }));
        let seen = 0;
        for await (const row of rows as AsyncIterable<object>) if (++seen > skip) yield { fields: jsonOf(row), where: `row ${seen}` };
      } catch (error) {
        throw typed(error);
      } finally {
        await client.end().catch(() => {});
      }
    },
    total: async () => undefined,
  };
}

/** Dates become ISO strings, as JSON has it. */
function jsonOf(row: object): Fields {
  return JSON.parse(JSON.stringify(row)) as Fields;
}

/** Syntax, names, rights, and writing in spite of all: their messages quote the query only. Those of other classes quote rows. */
const ABOUT_THE_QUERY = /^(42|25)/;

/** An error of the query is terminal; a lost connection is not. The driver's `detail` quotes rows and is left out. */
function typed(error: unknown): Error {
  if (!(error instanceof pg.DatabaseError)) return error as Error;
  const { code = '', message } = error;
  if (/^(08|53|57|58)/.test(code)) return error;
  const why = ABOUT_THE_QUERY.test(code) ? message : 'it failed on a row';
  return new SourceError('SOURCE_QUERY', `Postgres refused the source's query: ${why} (SQLSTATE ${code}). Try the query with psql.`);
}
