import { createHash } from 'node:crypto';
import type { Fields, OutcomeCounts } from '@autoflow/pipeline';
import { canonicalJson } from '@autoflow/topology';
import type { Database } from './database.js';

interface Ended {
  readonly key: string;
  readonly state: 'running' | keyof OutcomeCounts;
  readonly reason: string | null;
  readonly output: Fields | null;
}

/** Rows held at once. */
const PAGE = 500;
/** Keys are in the collation "C": by code point, whatever the database's own order is. */
const NEXT = `select key, state, reason, output from autoflow.records
  where pipeline = $1 and scope = $2 and key > $3 order by key limit ${PAGE}`;

/**
 * SHA-256 over one line per record of the scope, in key order: the canonical JSON of `[key, state, reason or code or null, output or null]` and
 * a line feed. Reads one moment of the scope, a page at a time; canonical form is made here so that settling need not pay for it.
 */
export async function outcomeDigest(
  database: Database,
  pipeline: string,
  scope: string,
): Promise<{ digest: string; counts: OutcomeCounts }> {
  return database.patient.transaction(async (sql) => {
    const hash = createHash('sha256');
    const counts = { running: 0, completed: 0, filtered: 0, dead: 0, cancelled: 0 };
    let page: Ended[];
    let last = '';
    do {
      page = await sql.query<Ended>(NEXT, [pipeline, scope, last]);
      for (const { key, state, reason, output } of page) {
        hash.update(`${canonicalJson([key, state, reason, output])}\n`);
        counts[state]++;
        last = key;
      }
    } while (page.length === PAGE);
    const { running: _, ...outcomes } = counts;
    return { digest: hash.digest('hex'), counts: outcomes };
  }, 'repeatable read read only');
}
