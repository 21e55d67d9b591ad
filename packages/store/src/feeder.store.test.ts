import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketsOf } from './arms.model.js';
import type { Claim, ClaimedRecord, Stream } from './feeder.model.js';
import { openStore } from './open-store.js';
import { bucketOf, recordDigest } from './record-digest.js';
import { allocation, by, connect, envelope, keysOf, registerPipeline, topology, untilBlocked, useTestStore } from './testing/fixtures.js';

/** Another way to the same database, that counts what comes from it. */
async function countingLine(databaseUrl: string): Promise<{ databaseUrl: string; received(): number; close(): Promise<unknown> }> {
  const url = new URL(databaseUrl);
  const target = { host: url.hostname, port: Number(url.port) };
  let bytes = 0;
  const server = createServer((inward) => {
    const outward = connectTo(target);
    outward.on('data', (chunk) => (bytes += chunk.length));
    inward.pipe(outward).pipe(inward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => once(server.close(), 'close');
  return { databaseUrl: Object.assign(url, { hostname: '127.0.0.1', port: String(port) }).href, received: () => bytes, close };
}

const REF = { ref: 'file:x', bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } };

describe('feeder', () => {
  const context = useTestStore();
  const feeder = () => context.store.feeder;
  beforeAll(async () => {
    for (const pipeline of ['orders', 'letters', 'paused', 'arms', 'loaded']) await registerPipeline(context.store, pipeline);
    const batch = { records: 7, bytes: 1024 };
    for (const pipeline of ['orders', 'arms', 'loaded'])
      await context.store.definitions.registerVersion({
        pipeline,
        hash: `h2-${pipeline}`,
        release: 'r1',
        topology: { ...topology, batch },
        envelope,
        allocation,
        by,
      });
  });
  const accept = (pipeline: string, keys: readonly string[], scope = 'live', more: object = {}) =>
    context.store.inbox.accept({
      pipeline,
      scope,
      records: keys.map((key) => ({ key, record: { id: key }, digest: recordDigest({ id: key }), bytes: 10, ...more })),
    });
  const streamOf = async (pipeline: string, scope = 'live'): Promise<Stream> => {
    const found = (await feeder().streams()).find((stream) => stream.pipeline === pipeline && stream.scope === scope);
    if (found === undefined) throw new Error(`nothing waits in ${pipeline} ${scope}`);
    return found;
  };
  let claims = 0;
  const claimOf = (stream: Stream, more: Partial<Claim> = {}): Claim => {
    const id = `claim-${++claims}`;
    const batch = { id, version: 'v1', release: 'r1', executionId: `e-${id}`, memoryMb: {} };
    return {
      stream,
      buckets: [0, 9_999],
      bounds: { records: 10, bytes: 1_000 },
      batch,
      arm: 'pinned',
      probe: false,
      leaseMs: 10_000,
      ...more,
    };
  };
  const write =
    (into: string[] = []) =>
    (records: readonly ClaimedRecord[]) => {
      into.push(...records.map(({ key }) => key));
      return Promise.resolve(REF);
    };
  const inputsOf = (keys: readonly string[]) => new Map(keys.map((key) => [key, { record: { id: key } }]));
  const waiting = async (pipeline: string, scope: string) =>
    (await context.store.inbox.list({ pipeline, scope, limit: 99 })).map(({ key }) => key);

  test('streams are those with something that may be fed, live ones first', async () => {
    await accept('letters', ['a']);
    await accept('letters', ['b'], 'live', { version: 'v1' });
    await accept('paused', ['a']);
    await context.store.arms.setFeeding({ pipeline: 'paused', paused: true, by });
    for (const id of ['b1', 'b2']) {
      await context.store.backfills.create(
        { id, pipeline: 'letters', scope: id, source: { kind: 'jsonl', path: 'x' }, concurrency: 3, batchRecords: 4 },
        by,
      );
      await context.store.backfills.put({
        id,
        from: 0,
        cursor: 1,
        records: [{ key: 'k', record: { id: 'k' }, digest: recordDigest({}), bytes: 2 }],
      });
    }
    await context.store.backfills.setState('b2', 'paused', by);
    const streams = (await feeder().streams()).filter(({ pipeline }) => pipeline !== 'orders');
    expect(streams).toMatchObject([
      { pipeline: 'letters', scope: 'live' },
      { pipeline: 'letters', scope: 'live', version: 'v1' },
      { pipeline: 'letters', scope: 'b1', backfill: { id: 'b1', concurrency: 3, batchRecords: 4, maxShare: 0.5 } },
    ]);
    expect(streams[0]).not.toHaveProperty('version');
  });

  test('a small arm gets its records in the order in which they came, whatever waits of the others', async () => {
    await accept('arms', keysOf(400, 's'), 'small');
    const stream = await streamOf('arms', 'small');
    const buckets = [150, 1_049] as const;
    const mine = keysOf(400, 's').filter((key) => bucketOf(key) >= buckets[0] && bucketOf(key) <= buckets[1]);
    expect(mine.length).toBeGreaterThan(12);
    const bounds = { records: 5, bytes: 1_000 };
    expect(await feeder().head(stream, buckets, bounds)).toMatchObject({ records: 5, bytes: 50 });
    const got: string[] = [];
    const claim = () => feeder().claim(claimOf(stream, { buckets, bounds }), write(got));
    await Promise.all([claim(), claim()]);
    expect(got.toSorted()).toEqual(mine.slice(0, 10).toSorted());
    while ((await claim()) !== undefined);
    expect(got.slice(10)).toEqual(mine.slice(10));
    await context.sql.query(`delete from autoflow.inbox where scope = 'small'`);
  });

  test('the load is told by room: what is open, what was closed of late, and what is of a backfill', async () => {
    await accept('loaded', keysOf(9, 'l'));
    const open = async (arm: Claim['arm'], backfill?: Stream['backfill']) => {
      const stream = await streamOf('loaded');
      const claim = claimOf({ ...stream, ...(backfill && { backfill }) }, { arm, bounds: { records: 1, bytes: 100 } });
      return (await feeder().claim(claim, write()))!;
    };
    expect((await feeder().load('loaded', 60_000)).rooms).toEqual({});
    const source = { kind: 'jsonl', path: 'x' } as const;
    const backfill = await context.store.backfills.create(
      { id: 'b-loaded', pipeline: 'loaded', scope: 'live', source, concurrency: 3 },
      by,
    );
    await open('stable');
    await open('pinned', { ...backfill, maxShare: 0.5 } as never);
    const { id } = await open('candidate');
    await context.sql.query(
      `update autoflow.batches set state = 'closed', opened_at = now() - interval '2 s', closed_at = now() - interval '1 s' where id = $1`,
      [id],
    );
    expect((await feeder().load('loaded', 60_000)).rooms).toEqual({
      stable: { open: 2, ofBackfill: { 'b-loaded': 1 }, closed: 0, meanOpenMs: 0 },
      'candidate v1': { open: 0, ofBackfill: {}, closed: 1, meanOpenMs: 1_000 },
    });
    expect(await feeder().load('loaded', 500)).toMatchObject({
      rooms: { stable: { open: 2, closed: 0, meanOpenMs: 0 } },
      instances: { v1: 3 },
    });
    await context.store.definitions.setStable({ pipeline: 'loaded', version: 'v2', by });
    expect(await feeder().load('loaded', 500)).toMatchObject({
      rooms: { stable: { open: 1 }, 'stable v1': { open: 1 } },
      instances: { v2: 3 },
    });
  });

  test('two that claim at once never share a record, whatever one of them does', async () => {
    await accept('orders', keysOf(20, 'c'), 'shared');
    const stream = await streamOf('orders', 'shared');
    const [one, other]: [string[], string[]] = [[], []];
    await Promise.all([feeder().claim(claimOf(stream), write(one)), feeder().claim(claimOf(stream), write(other))]);
    expect([...one, ...other].sort()).toEqual(keysOf(20, 'c').sort());
    expect(await feeder().claim(claimOf(stream), write())).toBeUndefined();
    await accept('orders', ['late'], 'shared');
    await expect(feeder().claim(claimOf(stream), () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    expect(await waiting('orders', 'shared')).toEqual(['late']);
    expect(await context.store.ledger.record('orders', 'shared', 'late')).toBeUndefined();
  });

  test('batches are bounded by bytes, and what is known already is not run again', async () => {
    await accept('orders', keysOf(5, 'b'), 'bounded');
    const stream = await streamOf('orders', 'bounded');
    const claimed: string[] = [];
    await feeder().claim(claimOf(stream, { bounds: { records: 10, bytes: 25 } }), write(claimed));
    expect(claimed).toEqual(['b0', 'b1']);
    await context.sql.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at) values ('orders', 'bounded', 'b2', 'completed', 'x', 'v1', 'r1', now())`,
    );
    await feeder().claim(claimOf(stream), write(claimed));
    expect(claimed).toEqual(['b0', 'b1', 'b3', 'b4']);
    expect(await waiting('orders', 'bounded')).toEqual([]);
  });

  test('what is beyond the bound is not even sent', async () => {
    const record = { text: randomBytes(200_000).toString('base64') };
    const records = keysOf(20, 'large').map((key) => ({ key, record, digest: recordDigest(record), bytes: 270_000 }));
    await context.store.inbox.accept({ pipeline: 'orders', scope: 'large', records });
    const stream = await streamOf('orders', 'large');
    const line = await countingLine(context.stack.databaseUrl);
    const store = await openStore({ connectionString: line.databaseUrl });
    const claimed: string[] = [];
    for (const bytes of [600_000, 1]) await store.feeder.claim(claimOf(stream, { bounds: { records: 20, bytes } }), write(claimed));
    await store.close();
    await line.close();
    expect(claimed).toEqual(keysOf(20, 'large').slice(0, 3));
    expect(line.received()).toBeGreaterThan(3 * 270_000 - 10_000);
    expect(line.received()).toBeLessThan(4 * 270_000);
  });

  test('a feeder that freezes in the midst of a claim loses it, and cannot commit it afterwards', async () => {
    await accept('orders', ['f'], 'frozen');
    const stream = await streamOf('orders', 'frozen');
    const claimed: string[] = [];
    const frozen = feeder().claim(claimOf(stream, { leaseMs: 50 }), async () => {
      // Resolves when the server has taken the record away from it: only then can somebody else have it.
      while ((await feeder().claim(claimOf(stream), write(claimed))) === undefined) await context.sql.query('select pg_sleep(0.02)');
      return REF;
    });
    await expect(frozen).rejects.toMatchObject({ retryable: true });
    expect(claimed).toEqual(['f']);
    const { rows } = await context.sql.query(`select id from autoflow.batches where scope = 'frozen'`);
    expect(rows).toHaveLength(1);
  });

  test('arms share the keys as they are told to, and a move of them outruns no batch', async () => {
    const keys = keysOf(2_000, 'arm');
    const shares = { candidate: { version: 'v2', share: 500 }, holdout: { version: 'v1', share: 1_000 } };
    const arms = await context.store.arms.setArms({ pipeline: 'arms', ...shares, by });
    const counts = (['holdout', 'stable', 'candidate'] as const).map((arm) => {
      const [from, to] = bucketsOf(arms, arm)!;
      return keys.filter((key) => bucketOf(key) >= from && bucketOf(key) <= to).length;
    });
    expect(counts.reduce((sum, count) => sum + count)).toBe(2_000);
    [200, 1_700, 100].forEach((expected, at) => expect(Math.abs(counts[at]! - expected)).toBeLessThan(50));
    expect(bucketsOf({}, 'stable')).toEqual([0, 9_999]);
    expect(bucketsOf({}, 'candidate')).toBeUndefined();

    await accept('arms', ['x']);
    const stream = await streamOf('arms');
    const opening = feeder().claim(claimOf(stream, { arm: 'stable', arms }), async () => {
      await context.store.arms.setArms({ pipeline: 'arms', by });
      return REF;
    });
    await expect(opening).rejects.toMatchObject({ code: 'STALE_VERSION' });
    expect(await waiting('arms', 'live')).toEqual(['x']);
    await expect(context.store.arms.setArms({ pipeline: 'arms', revision: 1, by })).rejects.toMatchObject({ code: 'STALE_REVISION' });
    await expect(context.store.arms.setArms({ pipeline: 'arms', candidate: { version: 'v1', share: 10_001 }, by })).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });

  test('pools of candidate and holdout are wanted', async () => {
    await context.store.arms.setArms({ pipeline: 'arms', candidate: { version: 'v2', share: 1 }, by });
    const wanted = (await context.store.hosts.desiredPools()).filter(({ pipeline }) => pipeline === 'arms');
    expect([...new Set(wanted.map(({ version }) => version))]).toEqual(['v1', 'v2']);
  });

  test('a move of the arms waits for the batch that is being committed', async () => {
    await accept('orders', ['w'], 'waits');
    const stream = await streamOf('orders', 'waits');
    const arms = (await context.store.arms.arms('orders'))!;
    await context.sql.query('begin');
    await context.sql.query(`select pg_advisory_xact_lock_shared(hashtext('autoflow_stable'), hashtext('orders'))`);
    const moved = context.store.arms.setArms({ pipeline: 'orders', by });
    const looking = await connect(context.stack.databaseUrl);
    await untilBlocked(looking, 'pg_advisory_xact_lock(');
    await context.sql.query('commit');
    await looking.end();
    expect((await moved).revision).toBe(arms.revision + 1);
    await expect(feeder().claim(claimOf(stream, { arm: 'stable', arms }), write())).rejects.toMatchObject({ code: 'STALE_VERSION' });
  });

  test('what is dissolved waits again, at most so many times; then it dies visibly', async () => {
    await accept('orders', ['d'], 'dissolved');
    for (let feed = 1; feed <= 5; feed++) {
      const row = (await feeder().claim(claimOf(await streamOf('orders', 'dissolved')), write()))!;
      const result = await feeder().dissolve({ batchId: row.id, inputs: inputsOf(['d']) });
      expect(result).toEqual(feed < 5 ? { refed: 1, dead: 0 } : { refed: 0, dead: 1 });
      expect(await feeder().dissolve({ batchId: row.id, inputs: inputsOf(['d']) })).toEqual({ refed: 0, dead: 0 });
      expect(
        await context.store.ledger.close({ batchId: row.id, outcomes: [{ state: 'completed', key: 'd', output: {} }], inputs: new Map() }),
      ).toMatchObject({ completed: 0 });
      expect(await waiting('orders', 'dissolved')).toEqual(feed < 5 ? ['d'] : []);
    }
    expect(await context.store.ledger.record('orders', 'dissolved', 'd')).toMatchObject({
      state: 'dead',
      death: { code: 'REFED_TOO_OFTEN' },
    });
    const [letter] = await context.store.ledger.deadLetters({ pipeline: 'orders', scope: 'dissolved', limit: 1 });
    expect(letter).toMatchObject({ code: 'REFED_TOO_OFTEN', record: { id: 'd' } });
  });

  test('without its file, or where it must not run again, a record dies instead', async () => {
    await accept('orders', ['m', 'n'], 'refused');
    const stream = await streamOf('orders', 'refused');
    const one = { bounds: { records: 1, bytes: 100 } };
    const missing = (await feeder().claim(claimOf(stream, one), write()))!;
    expect(await feeder().dissolve({ batchId: missing.id, inputs: new Map() })).toEqual({ refed: 0, dead: 1 });
    const refused = (await feeder().claim(claimOf(stream, one), write()))!;
    const refuse = { code: 'NOT_RERUN', message: 'it writes' };
    expect(await feeder().dissolve({ batchId: refused.id, inputs: inputsOf(['n']), refuse })).toEqual({ refed: 0, dead: 1 });
    const letters = await context.store.ledger.deadLetters({ pipeline: 'orders', scope: 'refused', limit: 9 });
    expect(letters.map(({ key, code }) => [key, code])).toEqual([
      ['n', 'NOT_RERUN'],
      ['m', 'BATCH_MISSING'],
    ]);
  });

  test('a batch is open since it is in the books, and not since its claim began', async () => {
    await accept('letters', ['slow'], 'slow');
    let written = new Date(0);
    const row = await feeder().claim(claimOf(await streamOf('letters', 'slow')), async () => {
      written = (await context.sql.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now;
      return REF;
    });
    expect(row!.openedAt.getTime()).toBeGreaterThanOrEqual(written.getTime());
  });

  test('each batch that nobody looks after is handed out once; an aborted one at once', async () => {
    await accept('letters', ['u'], 'unattended');
    const row = (await feeder().claim(claimOf(await streamOf('letters', 'unattended')), write()))!;
    const handedOut = async () => (await feeder().unattended(60_000, 99)).map(({ id }) => id).filter((id) => id === row.id);
    expect(await handedOut()).toEqual([]);
    await context.sql.query(`update autoflow.batches set opened_at = now() - interval '2 minutes' where id = $1`, [row.id]);
    expect((await Promise.all([handedOut(), handedOut()])).flat()).toEqual([row.id]);
    expect(await handedOut()).toEqual([]);
    expect(await feeder().abort('letters', 'v1')).toBeGreaterThan(0);
    expect(await handedOut()).toEqual([row.id]);
  });
});
