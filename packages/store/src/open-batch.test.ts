import { beforeAll, describe, expect, test } from 'vitest';
import { InvalidKeyError, StoreUnavailableError } from './errors.js';
import {
  batchOf,
  completed,
  connect,
  inputsOf,
  keysOf,
  openingOf,
  recordsOf,
  registerPipeline,
  untilBlocked,
  useTestStore,
} from './testing/fixtures.js';

describe('ledger.open', () => {
  const context = useTestStore();
  const ledger = () => context.store.ledger;
  beforeAll(() => registerPipeline(context.store, 'orders'));
  const open = (id: string, keys: readonly string[], scope: string) => ledger().open(openingOf('orders', id, keys, scope));

  test('admits records once per scope and says which it knew', async () => {
    const first = await open('b1', ['a', 'b'], 'once');
    expect(first).toMatchObject({
      known: [],
      row: { id: 'b1', state: 'open', executionId: 'e-b1', memoryMb: { parse: [128], store: [256] } },
    });
    expect(first.row).not.toHaveProperty('counts');
    expect((await open('b2', ['b', 'c'], 'once')).known).toEqual(['b']);
    expect((await open('b3', ['a'], 'elsewhere')).known).toEqual([]);
    expect(await ledger().record('orders', 'once', 'b')).toMatchObject({
      state: 'running',
      batchId: 'b1',
      arrivedAt: new Date('2026-01-02T03:04:05.678Z'),
    });
  });

  test('the same batch again answers what there is, also to many at once', async () => {
    await open('i0', ['x'], 'idempotent');
    const answers = await Promise.all(Array.from({ length: 4 }, () => open('i1', ['x', 'y'], 'idempotent')));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.known).toEqual(['x']);
  });

  test('of batches that overlap, opened at once in any order, each record goes to exactly one', async () => {
    const keys = keysOf(200);
    const answers = await Promise.all([keys, keys.toReversed(), keys].map((list, i) => open(`o${i}`, list, 'overlapping')));
    expect(answers.reduce((admitted, { known }) => admitted + keys.length - known.length, 0)).toBe(keys.length);
  });

  test('a batch in which nothing is admitted is closed at once', async () => {
    await open('n1', ['a'], 'nothing');
    expect(await open('n2', ['a'], 'nothing')).toMatchObject({
      known: ['a'],
      row: { state: 'closed', counts: { completed: 0, filtered: 0, dead: 0, cancelled: 0 } },
    });
    expect((await ledger().openBatches({ scope: 'nothing' })).map(({ id }) => id)).toEqual(['n1']);
  });

  test('with `replace` a record runs again and gets its new outcome', async () => {
    await open('r1', ['a'], 'replaced');
    await ledger().close({
      batchId: 'r1',
      outcomes: [{ state: 'dead', key: 'a', in: 'parse', code: 'BAD', message: 'bad' }],
      inputs: inputsOf(['a']),
    });
    expect(await ledger().deadLetters({ pipeline: 'orders', scope: 'replaced', limit: 9 })).toHaveLength(1);
    const again = await ledger().open({ batch: batchOf('orders', 'r2', 'replaced'), records: recordsOf(['a']), replace: true });
    expect(again.known).toEqual([]);
    const running = await ledger().record('orders', 'replaced', 'a');
    expect(running).toMatchObject({ state: 'running', batchId: 'r2' });
    expect(running).not.toHaveProperty('death');
    await ledger().close({ batchId: 'r2', outcomes: completed(['a']), inputs: inputsOf(['a']) });
    expect(await ledger().record('orders', 'replaced', 'a')).toMatchObject({ state: 'completed', output: { id: 'a', doubled: 'aa' } });
    expect(await ledger().deadLetters({ pipeline: 'orders', scope: 'replaced', limit: 9 })).toEqual([]);
  });

  test('keys that cannot be stored are named by position, and nothing is admitted', async () => {
    const keys = ['fine', '', 'nul\0', '\ud800', 'x'.repeat(513)];
    await expect(open('k1', keys, 'keys')).rejects.toThrow(InvalidKeyError);
    await expect(open('k1', keys, 'keys')).rejects.toMatchObject({ code: 'INVALID_KEY', retryable: false, indexes: [1, 2, 3, 4] });
    expect(await ledger().batch('k1')).toBeUndefined();
    expect((await open('k2', ['ü'.repeat(512), '💶', "'; drop table x; --", '\\', '{"a"}', 'NULL'], 'keys')).known).toEqual([]);
    expect(await ledger().record('orders', 'keys', '💶')).toMatchObject({ state: 'running' });
  });

  test('killed in mid-transaction it leaves nothing, and can be repeated', async () => {
    const blocker = await connect(context.stack.databaseUrl);
    await blocker.query('begin');
    await blocker.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at)
       values ('orders', 'killed', 'k5', 'running', 'other', 'v1', 'r1', now())`,
    );
    const opening = open('c1', keysOf(10), 'killed');
    const failed = expect(opening).rejects.toThrow(StoreUnavailableError);
    const pid = await untilBlocked(context.sql, 'insert into autoflow.records');
    await context.sql.query('select pg_terminate_backend($1)', [pid]);
    await failed;
    await blocker.query('rollback');
    await blocker.end();
    expect(await ledger().batch('c1')).toBeUndefined();
    expect(await ledger().records({ pipeline: 'orders', scope: 'killed', limit: 99 })).toEqual([]);
    expect((await open('c1', keysOf(10), 'killed')).known).toEqual([]);
  });
});
