import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { pipelineHandle } from '@autoflow/workflows/handle';
import type { acts } from './acts.js';
import { BY, failureOf, startPlatform, topologyOf, untilRow, type Platform } from './platform.js';

const Acts = pipelineHandle<typeof acts>('acts');
type Argument = Parameters<typeof Acts>[0];

describe('the direct door', () => {
  const stack = useTestStack();
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.startWorker(['workflows', 'functions']);
  });
  afterAll(() => platform?.stop());

  const execute = (workflowId: string, records: Argument) =>
    platform.client.workflow.execute(Acts, { taskQueue: 'autoflow', workflowId, args: [records] });
  /** What no TypeScript caller would send. */
  const executeAny = (workflowId: string, type: string, ...args: unknown[]) =>
    platform.client.workflow.execute(type, { taskQueue: 'autoflow', workflowId, args });

  /** Types of the normal activities that an execution scheduled. */
  const activitiesOf = async (workflowId: string): Promise<unknown[]> => {
    const { events } = await platform.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
  };

  it('answers one record with its output', async () => {
    expect(await execute('one', { id: 'one', act: 'pass', payload: 'abc' })).toEqual({
      version: 'v1',
      counts: { completed: 1, filtered: 0, dead: 0, cancelled: 0 },
      results: [{ key: 'one', output: { id: 'one', weight: 6, performed: 'pass', stored: true } }],
      filtered: [],
      dead: [],
    });
    expect(await platform.store.ledger.record('acts', 'live', 'one')).toMatchObject({ state: 'completed', version: 'v1' });
  });

  it('answers for each of several records, in their order', async () => {
    const result = await execute('several', [
      { id: 'a', act: 'pass' },
      { id: 'b', act: 'drop' },
      { id: 'c', act: 'fail' },
      { id: 'd', act: 'flaky' },
    ]);
    expect(result).toMatchObject({
      counts: { completed: 2, filtered: 1, dead: 1, cancelled: 0 },
      results: [{ key: 'a' }, { key: 'd', output: { performed: 'flaky' } }],
      filtered: [{ key: 'b', by: 'may-pass', reason: 'told to' }],
      dead: [{ key: 'c', in: 'perform', code: 'TOLD_TO_FAIL', message: 'record c was told to fail' }],
    });
    const letters = await platform.store.ledger.deadLetters({ pipeline: 'acts', limit: 10 });
    expect(letters).toMatchObject([{ key: 'c', version: 'v1', code: 'TOLD_TO_FAIL', in: 'perform', record: { id: 'c', act: 'fail' } }]);
    const { rows } = await platform.sql.query(
      `select id, count(*)::int as calls from attempts where id in ('a','b','c','d') group by id order by id`,
    );
    expect(rows).toEqual([
      { id: 'a', calls: 1 },
      { id: 'c', calls: 1 },
      { id: 'd', calls: 3 },
    ]);
  });

  it('tells its progress, and can be found by pipeline and version', async () => {
    const handle = platform.client.workflow.getHandle('several');
    expect(await handle.query('progress')).toMatchObject({
      phase: 'ended',
      version: 'v1',
      records: 4,
      stages: expect.arrayContaining([
        expect.objectContaining({
          name: 'perform',
          state: 'done',
          parts: 1,
          partsDone: 1,
          invocations: 3,
          counts: { records: 4, live: 2, filtered: 1, dying: 1 },
        }),
      ]),
    });
    const { typedSearchAttributes } = await handle.describe();
    expect(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['AutoFlowPipeline', 'acts'],
        ['AutoFlowVersion', 'v1'],
      ]),
    );
  });

  it('skips the stages that nothing is left for', async () => {
    await execute('dropped', { id: 'dropped', act: 'drop' });
    const { stages } = (await platform.client.workflow.getHandle('dropped').query('progress')) as {
      stages: { name: string; state: string }[];
    };
    expect(Object.fromEntries(stages.map(({ name, state }) => [name, state]))).toEqual({
      measure: 'done',
      'may-pass': 'done',
      perform: 'skipped',
      weigh: 'skipped',
      store: 'skipped',
    });
  });

  it('runs a record again when it is started again, and the new outcome counts', async () => {
    await execute('again-1', { id: 'again', act: 'fail' });
    await execute('again-2', { id: 'again', act: 'pass' });
    expect(await platform.store.ledger.record('acts', 'live', 'again')).toMatchObject({ state: 'completed' });
  });

  describe('refuses, with a typed error that does not retry', () => {
    it('an unknown pipeline', async () => {
      expect(await failureOf(executeAny('unknown', 'no-such-pipeline', { id: 'x' }))).toMatchObject({
        type: 'UNKNOWN_PIPELINE',
        nonRetryable: true,
        message: expect.stringContaining(`'no-such-pipeline'`),
      });
    });
    it.each(['constructor', 'toString', '__proto__', 'default'])('the workflow type %s', async (type) => {
      expect(await failureOf(executeAny(`type-${type}`, type, { id: 'x' }))).toMatchObject({ type: 'UNKNOWN_PIPELINE' });
    });
    it('records that are none, naming index and fields', async () => {
      const failure = await failureOf(
        executeAny('invalid', 'acts', [{ id: 'ok', act: 'pass' }, { id: 'x', act: 'dance' }, { act: 'pass' }, 7]),
      );
      expect(failure).toMatchObject({ type: 'INVALID_RECORD', nonRetryable: true });
      expect(failure.message).toMatch(/record 1: act: .*; record 2: id: .*; record 3: /);
      expect(await platform.store.ledger.record('acts', 'live', 'ok')).toBeUndefined();
      expect(await activitiesOf('invalid'), 'refused by the local activity, not asked again').toEqual([]);
    });
    it('no record at all', async () => {
      expect(await failureOf(executeAny('none', 'acts', []))).toMatchObject({ type: 'INVALID_RECORD' });
      expect(await failureOf(executeAny('no-argument', 'acts'))).toMatchObject({ type: 'INVALID_RECORD' });
    });
    it('two records with one key', async () => {
      const twins = [
        { id: 't', act: 'pass' as const },
        { id: 't', act: 'drop' as const },
      ];
      expect(await failureOf(execute('twins', twins))).toMatchObject({
        type: 'INVALID_RECORD',
        message: expect.stringContaining(`records 0 and 1 have the same key 't'`),
      });
    });
    it('a key that cannot be stored', async () => {
      expect(await failureOf(execute('bad-key', { id: 'nul\0', act: 'pass' }))).toMatchObject({ type: 'INVALID_RECORD' });
    });
    it('more than 1 MB of records, pointing to a backfill', async () => {
      const failure = await failureOf(execute('large', { id: 'large', act: 'pass', payload: 'x'.repeat(1_100_000) }));
      expect(failure).toMatchObject({ type: 'PAYLOAD_TOO_LARGE', nonRetryable: true, message: expect.stringContaining('backfill') });
    });
    it('more than 1 MB of results, with every record settled', async () => {
      const records = Array.from({ length: 1800 }, (_, at) => ({ id: `${at}-`.padEnd(500, 'k'), act: 'pass' as const }));
      expect(await failureOf(execute('large-result', records))).toMatchObject({
        type: 'PAYLOAD_TOO_LARGE',
        message: expect.stringContaining('settled'),
      });
      expect(await platform.store.ledger.record('acts', 'live', records[1799]!.id)).toMatchObject({ state: 'completed' });
    });
    it('more than one argument, of which it would carry but the first', async () => {
      const records = [
        { id: 'first-of-two', act: 'pass' },
        { id: 'second-of-two', act: 'pass' },
      ];
      expect(await failureOf(executeAny('two-arguments', 'acts', ...records))).toMatchObject({
        type: 'BAD_ARGUMENT',
        nonRetryable: true,
        message: expect.stringContaining('one array'),
      });
      expect(await platform.store.ledger.record('acts', 'live', 'first-of-two')).toBeUndefined();
    });
    it('an argument of another pipeline or format', async () => {
      expect(await failureOf(executeAny('foreign', 'acts', { $autoflow: 'execution/1', pipeline: 'other' }))).toMatchObject({
        type: 'BAD_ARGUMENT',
      });
      expect(await failureOf(executeAny('future', 'acts', { $autoflow: 'execution/9', pipeline: 'acts' }))).toMatchObject({
        type: 'BAD_ARGUMENT',
      });
    });
  });

  it('cancellation leaves every record with an outcome', async () => {
    const handle = await platform.client.workflow.start(Acts, {
      taskQueue: 'autoflow',
      workflowId: 'cancelled',
      args: [
        [
          { id: 'waits', act: 'wait' },
          { id: 'was-dropped', act: 'drop' },
        ],
      ],
    });
    await untilRow(platform, `select 1 from attempts where id = 'waits'`);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await platform.store.ledger.record('acts', 'live', 'waits')).toMatchObject({ state: 'cancelled' });
    expect(await platform.store.ledger.record('acts', 'live', 'was-dropped')).toMatchObject({ state: 'filtered' });
    expect(await platform.store.ledger.openBatches({ pipeline: 'acts' })).toEqual([]);
  });

  it('gives a start the version that is stable at that moment, and leaves those under way alone', async () => {
    const fused = await platform.registerVersion(topologyOf({ 'measure+may-pass+perform+weigh+store': [] }));
    const waiting = await platform.client.workflow.start(Acts, {
      taskQueue: 'autoflow',
      workflowId: 'on-v1',
      args: [{ id: 'on-v1', act: 'wait' }],
    });
    await untilRow(platform, `select 1 from attempts where id = 'on-v1'`);
    await platform.store.definitions.setStable({ pipeline: 'acts', version: fused, by: BY });
    expect(await execute('on-v2', { id: 'on-v2', act: 'pass' })).toMatchObject({ version: fused });
    await platform.store.definitions.setStable({ pipeline: 'acts', version: 'v1', by: BY });
    expect(await execute('back-on-v1', { id: 'back-on-v1', act: 'pass' })).toMatchObject({ version: 'v1' });
    await platform.sql.query('insert into released values (true)');
    expect(await waiting.result()).toMatchObject({ version: 'v1', counts: { completed: 1 } });
  });
});
