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

/**
 * One page in order of key: those that wait and those that do not are one list. A record that waits to be run again is one that waits, and has no
 * reason. The inbox is read first: a record that is claimed meanwhile is in the ledger by then, perhaps in both.
 */
export async function listRecords(
  { inbox, ledger }: Pick<Store, 'inbox' | 'ledger'>,
  filter: Filter,
  state: 'waiting' | RecordRow['state'] | undefined,
): Promise<Found[]> {
  const mayWait = (state === undefined || state === 'waiting') && filter.reason === undefined;
  const waiting = mayWait ? await inbox.list(filter) : [];
  const others = state === 'waiting' ? [] : await ledger.records({ ...filter, ...(state !== undefined && { state }) });
  const byKey = new Map<string, Found>();
  for (const row of waiting) byKey.set(row.key, fromInbox(row));
  for (const row of others) if (!waitsAgain(byKey.get(row.key), row)) byKey.set(row.key, fromLedger(row));
  return [...byKey.values()].sort(inOrderOfKey).slice(0, filter.limit);
}

/** Whoever claims a record keeps the time of its arrival; one that is to be run again has arrived anew. */
function waitsAgain(waiting: Found | undefined, { arrivedAt }: RecordRow): boolean {
  return waiting !== undefined && waiting.arrivedAt > arrivedAt;
}

/** As the database orders them: by bytes, not by UTF-16. */
function inOrderOfKey(a: Found, b: Found): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}
