/** A pipeline whose service may be used only so much by the whole fleet, and which writes down when it was. */
import { setTimeout as after } from 'node:timers/promises';
import { defineFunction, definePipeline, defineResource } from '@autoflow/pipeline';
import pg from 'pg';
import { z } from 'zod';

const Input = z.object({ id: z.string() });

export const CONCURRENCY = 5;
export const PER_SECOND = 20;

const open = (secret: string): pg.Pool => {
  const pool = new pg.Pool({ connectionString: secret, max: 1 });
  pool.on('error', () => undefined);
  return pool;
};
const database = defineResource({
  name: 'sink-database',
  secrets: ['TEST_DATABASE_URL'],
  open: ({ secret }) => open(secret('TEST_DATABASE_URL')),
  close: (pool) => pool.end(),
});
/** Table `uses`: one row per use, with the process of the host. */
const service = defineResource({
  name: 'service',
  secrets: ['TEST_DATABASE_URL'],
  limit: { concurrency: CONCURRENCY, perSecond: PER_SECOND },
  open: ({ secret }) => open(secret('TEST_DATABASE_URL')),
  close: (pool) => pool.end(),
});

const ask = defineFunction('ask', {
  effect: 'read',
  uses: { service },
  reads: Input,
  writes: z.object({ answer: z.string() }),
  async handle({ id }, { service }) {
    const { rows } = await service.query<{ n: number }>('insert into uses (id, host) values ($1, $2) returning n', [id, process.ppid]);
    await after(20);
    await service.query('update uses set ended_at = clock_timestamp() where n = $1', [rows[0]!.n]);
    return { answer: `about ${id}` };
  },
});

const keep = defineFunction('keep', {
  effect: 'idempotent-write',
  uses: { database },
  reads: Input.extend({ answer: z.string() }),
  writes: z.object({ kept: z.boolean() }),
  async handleBatch(records, { database, keys }) {
    const rows = records.map(({ id, answer }, at) => ({ key: keys[at], id, answer }));
    await database.query(
      `insert into kept (key, id, answer) select * from jsonb_to_recordset($1) as r(key text, id text, answer text) on conflict (key) do nothing`,
      [JSON.stringify(rows)],
    );
    return records.map(() => ({ kept: true }));
  },
});

export const metered = definePipeline(
  'metered',
  { input: Input, key: 'id', output: z.object({ id: z.string(), answer: z.string(), kept: z.boolean() }) },
  (record) => keep(ask(record)),
);
