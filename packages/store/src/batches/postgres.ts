/** Batches as rows: slower than files, but every host of a fleet sees them. The table is one of the store's migrations. */
import { randomUUID } from 'node:crypto';
import { placeOf } from '../connection.js';
import type { Database } from '../database.js';
import type { BatchStore, BatchStoreSettings } from './contract.js';
import { BatchMissingError, BatchRefInvalidError } from './errors.js';
import { countRecords, decodeLines, encodeLines } from './lines.js';

type Settings = Extract<BatchStoreSettings, { driver: 'postgres' }>;

/** Bytes of one row. */
const PART_BYTES = 32 * 1024 * 1024;
const REF = /^pg:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const INSERT = 'insert into autoflow.batch_blobs (id, part, pipeline, batch_id, label, data) values ($1, $2, $3, $4, $5, $6)';

export function postgresBatchStore({ connectionString }: Settings): BatchStore {
  placeOf(connectionString);
  let opened: Promise<Database> | undefined;
  const database = () => (opened ??= open(connectionString));

  return {
    async write({ pipeline, batchId, label }, records) {
      const id = randomUUID();
      const bytes = await (
        await database()
      ).transaction(async (sql) => {
        let part = 0;
        let written = 0;
        for (const data of encodeLines(records, PART_BYTES)) {
          await sql.query(INSERT, [id, part++, pipeline, batchId, label, data]);
          written += data.length;
        }
        // An empty batch is there too.
        if (part === 0) await sql.query(INSERT, [id, part, pipeline, batchId, label, Buffer.alloc(0)]);
        return written;
      });
      return { ref: `pg:${id}`, bytes, counts: countRecords(records) };
    },

    async read(ref) {
      const id = REF.exec(ref.ref)?.[1];
      if (id === undefined) throw new BatchRefInvalidError(ref.ref, 'postgres');
      return decodeLines(ref, partsOf(await database(), ref.ref, id));
    },

    async removeOlderThan(cutoff, keep) {
      const [gone] = await (
        await database()
      ).patient.query<{ batches: number }>(
        `with gone as (delete from autoflow.batch_blobs where created_at < $1 and batch_id <> all ($2) returning batch_id)
         select count(distinct batch_id) as batches from gone`,
        [cutoff, [...keep]],
      );
      return gone!.batches;
    },

    close: async () => (await opened)?.close(),
  };
}

/** The driver is loaded here, so that an instance on the file driver does not pay for it. */
async function open(connectionString: string): Promise<Database> {
  const { openDatabase } = await import('../database.js');
  return openDatabase({ connectionString, maxConnections: 4, log: () => {} });
}

/** One at a time: a batch of gigabytes is not held twice. */
async function* partsOf(database: Database, ref: string, id: string): AsyncGenerator<Buffer> {
  for (let part = 0; ; part++) {
    const [row] = await database.query<{ data: Buffer }>(
      'select data from autoflow.batch_blobs where id = $1 and part = $2',
      [id, part],
      'binary',
    );
    if (row === undefined && part === 0) throw new BatchMissingError(ref);
    if (row === undefined) return;
    yield row.data;
  }
}
