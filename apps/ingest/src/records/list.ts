import type { RecordRow, Store } from '@autoflow/store';
import { type Found, fromInbox, fromLedger } from './lookup.js';

interface Filter {
  readonly pipeline: string;
  readonly scope: string;
  readonly reason?: string;
  readonly since?: Date;
  readonly limit: number;
  /** The last key of the page before. */
  readonly after?: string;
}

/** One page in order of key: those that wait and those that do not are one list. A record that waits to be run again is one that waits, and has no reason. */
export async function listRecords(
  { inbox, ledger }: Pick<Store, 'inbox' | 'ledger'>,
  filter: Filter,
  state: 'waiting' | RecordRow['state'] | undefined,
): Promise<Found[]> {
  const [waiting, others] = await Promise.all([
    (state === undefined || state === 'waiting') && filter.reason === undefined ? inbox.list(filter) : [],
    state === 'waiting' ? [] : ledger.records({ ...filter, ...(state !== undefined && { state }) }),
  ]);
  const byKey = new Map<string, Found>();
  for (const row of others) byKey.set(row.key, fromLedger(row));
  for (const row of waiting) byKey.set(row.key, fromInbox(row));
  return [...byKey.values()].sort(inOrderOfKey).slice(0, filter.limit);
}

/** As the database orders them: by bytes, not by UTF-16. */
function inOrderOfKey(a: Found, b: Found): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}
