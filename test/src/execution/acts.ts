/** Pipelines for tests of the platform: each record says what is to happen to it. */
import { defineFilter, defineFunction, definePipeline, defineResource, join, TerminalError } from '@autoflow/pipeline';
import pg from 'pg';
import { z } from 'zod';

export const Act = z.enum(['pass', 'drop', 'fail', 'flaky', 'exit', 'hang', 'hoard', 'hoard-all', 'wait', 'slow', 'grow', 'spike']);
const Input = z.object({ id: z.string(), act: Act, payload: z.string().optional() });

/** Tables `attempts`, `sink` and `released` (see platform.ts). */
const database = defineResource({
  name: 'test-database',
  secrets: ['TEST_DATABASE_URL'],
  open: ({ secret }) => {
    const pool = new pg.Pool({ connectionString: secret('TEST_DATABASE_URL'), max: 1 });
    pool.on('error', () => undefined);
    return pool;
  },
  close: (pool) => pool.end(),
});

const measure = defineFunction('measure', {
  effect: 'pure',
  reads: Input.pick({ payload: true }),
  writes: z.object({ length: z.int() }),
  handle: ({ payload = '' }) => ({ length: payload.length }),
});

const mayPass = defineFilter('may-pass', { reads: Input.pick({ act: true }), keep: ({ act }) => (act === 'drop' ? 'told to' : true) });

const hoarded: Buffer[] = [];
/** What it never lets go. */
const grown: string[] = [];

/** What it does is in `attempts` before it does it: one row per call. */
const perform = defineFunction('perform', {
  effect: 'idempotent-write',
  uses: { database },
  timeoutMs: 5_000,
  retry: { maximumAttempts: 3, initialIntervalMs: 50 },
  reads: Input.pick({ id: true, act: true }),
  writes: z.object({ performed: z.string() }),
  async handle({ id, act }, { database, keys, signal }) {
    const { rows } = await database.query<{ attempts: number }>(
      'with added as (insert into attempts (id, key) values ($1, $2)) select count(*)::int + 1 as attempts from attempts where key = $2',
      [id, keys[0]],
    );
    if (act === 'fail') throw new TerminalError('TOLD_TO_FAIL', `record ${id} was told to fail`);
    if (act === 'flaky' && (rows[0]?.attempts ?? 0) < 3) throw new Error('not yet');
    if (act === 'exit') process.exit(7);
    if (act === 'hoard') for (let mb = 0; mb < 400; mb += 8) hoarded.push(Buffer.alloc(8 * 1024 * 1024, 1));
    if (act === 'hoard-all') for (;;) hoarded.push(Buffer.alloc(8 * 1024 * 1024, 1));
    if (act === 'wait') await untilReleased(database, signal);
    if (act === 'grow') for (let mb = 0; mb < 40; mb += 4) grown.push(Buffer.alloc(4 * 1024 * 1024, grown.length + 1).toString('latin1'));
    if (act === 'spike') await spike();
    if (act === 'slow') await database.query('select pg_sleep(0.3)');
    hoarded.length = 0;
    return { performed: act };
  },
});

/** For a moment much more than it needs at all other times. */
async function spike(): Promise<void> {
  const held = Array.from({ length: 40 }, () => Buffer.alloc(8 * 1024 * 1024, 1));
  await new Promise((resolve) => setTimeout(resolve, 250));
  held.length = 0;
}

async function untilReleased(database: pg.Pool, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if ((await database.query('select 1 from released')).rowCount) return;
    await database.query('select pg_sleep(0.05)');
  }
}

const weigh = defineFunction('weigh', {
  effect: 'pure',
  reads: z.object({ length: z.int() }),
  writes: z.object({ weight: z.int() }),
  handleBatch: (records) => records.map(({ length }) => ({ weight: length * 2 })),
});

const store = defineFunction('store', {
  effect: 'idempotent-write',
  uses: { database },
  reads: Input.pick({ id: true }).extend({ weight: z.int(), performed: z.string() }),
  writes: z.object({ stored: z.boolean() }),
  async handleBatch(records, { database, keys }) {
    const rows = records.map(({ id, weight, performed }, at) => ({ key: keys[at], id, weight, performed }));
    await database.query(
      `insert into sink (key, id, weight, performed) select * from jsonb_to_recordset($1) as r(key text, id text, weight int, performed text)
       on conflict (key) do update set stored = sink.stored + 1`,
      [JSON.stringify(rows)],
    );
    return records.map(() => ({ stored: true }));
  },
});

export const acts = definePipeline(
  'acts',
  { input: Input, key: 'id', output: z.object({ id: z.string(), weight: z.int(), performed: z.string(), stored: z.boolean() }) },
  (record) => {
    const kept = mayPass(measure(record));
    return store(join(perform(kept), weigh(kept)));
  },
);

/** Holds its thread for ever when it is told to hang, and is not waited for long. */
const stall = defineFunction('stall', {
  effect: 'pure',
  timeoutMs: 1_000,
  reads: Input.pick({ act: true }),
  writes: z.object({ stalled: z.boolean() }),
  handle: ({ act }) => {
    if (act === 'hang') for (;;);
    return { stalled: false };
  },
});

export const stalls = definePipeline(
  'stalls',
  { input: Input, key: 'id', output: z.object({ id: z.string(), stalled: z.boolean() }) },
  (record) => stall(record),
);

/** Not idempotent: each call adds a row to `attempts`, which nothing takes back. */
const append = defineFunction('append', {
  effect: 'write',
  uses: { database },
  timeoutMs: 30_000,
  reads: Input.pick({ id: true, act: true }),
  writes: z.object({ appended: z.boolean() }),
  async handle({ id, act }, { database, keys, signal }) {
    await database.query('insert into attempts (id, key) values ($1, $2)', [id, keys[0]]);
    if (act === 'exit') process.exit(7);
    if (act === 'wait') await untilReleased(database, signal);
    return { appended: true };
  },
});

export const appends = definePipeline(
  'appends',
  { input: Input, key: 'id', output: z.object({ id: z.string(), appended: z.boolean() }) },
  (record) => append(record),
);
