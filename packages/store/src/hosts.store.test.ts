import { describe, expect, test } from 'vitest';
import {
  allocation,
  batchOf,
  by,
  completed,
  envelope,
  inputsOf,
  openingOf,
  recordsOf,
  registerPipeline,
  specOf,
  topology,
  useTestStore,
} from './testing/fixtures.js';

describe('hosts', () => {
  const context = useTestStore();
  const desired = async (pipeline: string) =>
    (await context.store.hosts.desiredPools())
      .filter((pool) => pool.pipeline === pipeline)
      .map(({ version, release, stage, memoryMb, concurrency }) => `${version} ${release} ${stage} ${memoryMb} MB x ${concurrency}`);
  const STABLE = ['v1 r1 parse 128 MB x 2', 'v1 r1 store 256 MB x 3'];

  test('wanted are the stages of stable versions at their allocation', async () => {
    await registerPipeline(context.store, 'stable');
    expect(await desired('stable')).toEqual(STABLE);
    await context.store.definitions.setAllocation({
      pipeline: 'stable',
      version: 'v1',
      stages: { ...allocation, parse: { memoryMb: 256, concurrency: 7 } },
      by,
    });
    expect(await desired('stable')).toEqual(['v1 r1 parse 256 MB x 7', 'v1 r1 store 256 MB x 3']);
  });

  test('and what an open batch names, until it is closed', async () => {
    await registerPipeline(context.store, 'open');
    await context.store.ledger.open(openingOf('open', 'o1', ['a']));
    expect(await desired('open')).toEqual(STABLE);
    await context.store.ledger.requireMemory('o1', 'parse', 1024);
    await context.store.ledger.requireMemory('o1', 'parse', 1024);
    expect((await context.store.ledger.batch('o1'))?.memoryMb).toEqual({ parse: [128, 1024], store: [256] });
    expect(await desired('open')).toEqual([STABLE[0], 'v1 r1 parse 1024 MB x 2', STABLE[1]]);

    const next = { ...topology, lingerMs: 5 };
    await context.store.definitions.registerVersion({
      pipeline: 'open',
      hash: 'h2',
      release: 'r1',
      topology: next,
      envelope,
      allocation,
      by,
    });
    await context.store.definitions.setStable({ pipeline: 'open', version: 'v2', by });
    expect(await desired('open')).toEqual([
      STABLE[0],
      'v1 r1 parse 1024 MB x 2',
      STABLE[1],
      'v2 r1 parse 128 MB x 2',
      'v2 r1 store 256 MB x 3',
    ]);
    await context.store.ledger.close({ batchId: 'o1', outcomes: completed(['a']), inputs: inputsOf(['a']) });
    expect(await desired('open')).toEqual(['v2 r1 parse 128 MB x 2', 'v2 r1 store 256 MB x 3']);
  });

  test('with the limited resources that the functions of a stage use', async () => {
    const spec = {
      ...specOf('limited'),
      nodes: [
        { id: 'parse', uses: ['free', 'rated'] },
        { id: 'store', uses: ['rated', 'db', 'api'] },
      ],
      resources: [
        { name: 'db', secrets: [], limit: { concurrency: 6 } },
        { name: 'api', secrets: [], limit: { concurrency: 4, perSecond: 9 } },
        { name: 'rated', secrets: [], limit: { perSecond: 9 } },
        { name: 'free', secrets: [] },
      ],
    } as never;
    const release = { pipeline: 'limited', hash: 'r1', spec };
    await context.store.definitions.registerRelease({ release, topology, envelope, allocation, by });
    for (const time of ['first', 'again']) {
      const pools = (await context.store.hosts.desiredPools()).filter(({ pipeline }) => pipeline === 'limited');
      expect(
        pools.map(({ stage, resources }) => [stage, resources]),
        time,
      ).toEqual([
        ['parse', []],
        [
          'store',
          [
            { name: 'db', concurrency: 6 },
            { name: 'api', concurrency: 4 },
          ],
        ],
      ]);
    }
  });

  test('hosts are told of a pool that only an open batch wants, and of no other', async () => {
    await registerPipeline(context.store, 'told');
    await context.store.definitions.registerVersion({ pipeline: 'told', hash: 'h2', release: 'r1', topology, envelope, allocation, by });
    const heard: (string | undefined)[] = [];
    const stop = await context.store.listen('autoflow_pools', (payload) => heard.push(payload));
    const open = (id: string, version: string) =>
      context.store.ledger.open({ batch: { ...batchOf('told', id), version }, records: recordsOf([id]), replace: false });
    await open('t1', 'v1');
    await open('t2', 'v2');
    await open('t3', 'v2');
    await context.store.ledger.requireMemory('t3', 'store', 1024);
    await context.store.ledger.requireMemory('t3', 'store', 1024);
    // Heard in order of commits: when this one has come, so have all before it.
    await new Promise<void>((resolve, reject) => {
      context.store
        .listen('autoflow_pools', (payload) => payload === 'last' && resolve())
        .then(() => context.sql.query(`select pg_notify('autoflow_pools', 'last')`), reject);
    });
    await stop();
    expect(heard).toEqual(['told', 'told', 'last']);
  });

  test('what a host acknowledges replaces what it had said, and not what others say', async () => {
    const pool = { pipeline: 'acknowledged', version: 'v1', stage: 'parse', memoryMb: 128, concurrency: 2, instances: 1 };
    await context.store.hosts.acknowledge('h1', [pool, { ...pool, stage: 'store' }]);
    await context.store.hosts.acknowledge('h2', [{ ...pool, instances: 2, allocationRevision: 3 }]);
    await context.store.hosts.acknowledge('h1', [{ ...pool, concurrency: 4 }]);
    const said = (await context.store.hosts.acknowledged('acknowledged')).map(({ host, stage, concurrency, instances }) => [
      host,
      stage,
      concurrency,
      instances,
    ]);
    expect(said).toEqual([
      ['h1', 'parse', 4, 1],
      ['h2', 'parse', 2, 2],
    ]);
    await context.store.hosts.acknowledge('h1', []);
    expect(await context.store.hosts.acknowledged('acknowledged')).toHaveLength(1);
  });
});
