import { ROLLOUT_DEFAULTS, type RolloutOutcome } from '@autoflow/topology';
import { beforeEach, describe, expect, test } from 'vitest';
import { allocation, by, envelope, specOf, topology, useTestStore } from './testing/fixtures.js';

const context = useTestStore();
let pipeline = '';
let count = 0;
const rollouts = () => context.store.rollouts;
const end = (outcome: RolloutOutcome, id: string) => rollouts().end({ id, outcome, by: { ...by, reason: `so ${outcome}` } });

describe('a rollout that was rolled back keeps AutoFlow from its topology', () => {
  const own = (version: string, id: string) => rollouts().create({ id, pipeline, version, own: true, settings: ROLLOUT_DEFAULTS }, by);
  const takenBack = async (release = 'r1') => (await rollouts().takenBack(pipeline, release)).map(({ version }) => version);
  /** A version of its own: of another release, or with other bounds. */
  const again = async (release: string, memoryMb: number) => {
    const bounds = Object.fromEntries(
      Object.entries(envelope).map(([stage, one]) => [stage, { ...one, memoryMb: [...one.memoryMb, memoryMb] }]),
    );
    const about = { pipeline, release, topology: { ...topology, batch: { records: 7, bytes: 1024 } }, envelope: bounds, allocation, by };
    return (await context.store.definitions.registerVersion({ ...about, hash: `${pipeline} ${release} ${memoryMb}` })).version.name;
  };
  const refused = { code: 'ROLLOUT_REFUSED', message: expect.stringContaining('took its topology, as v2, back') };
  beforeEach(async () => {
    pipeline = `p${++count}`;
    const nodes = ['parse', 'store'].map((id) => ({ id, name: id }));
    const release = { pipeline, hash: 'r1', spec: { ...specOf(pipeline), nodes } as never };
    await context.store.definitions.registerRelease({ release, topology, envelope, allocation, by });
    await again('r1', 512);
    await own('v2', `ro-${pipeline}`);
    await end('rolled-back', `ro-${pipeline}`);
  });

  test('in whatever version, as long as its decision holds, also where what is stable is kept; a drift lifts that', async () => {
    const { decisions } = context.store;
    expect(await takenBack()).toEqual(['v2']);
    await expect(own(await again('r1', 4096), `b-${pipeline}`)).rejects.toMatchObject(refused);
    await decisions.expire(pipeline, 'v1', by);
    expect(await takenBack()).toEqual([]);
    await own('v2', `c-${pipeline}`);
    await end('rolled-back', `c-${pipeline}`);
    expect(await takenBack()).toEqual(['v2']);
    expect(await decisions.keep((await decisions.current(pipeline))!, by)).toBe(true);
    expect(await takenBack()).toEqual(['v2']);
  });

  test('until another topology is stable', async () => {
    const { registerVersion, setStable } = context.store.definitions;
    const other = { ...topology, batch: { records: 9, bytes: 1024 } };
    const { version } = await registerVersion({
      pipeline,
      hash: `${pipeline}9`,
      release: 'r1',
      topology: other,
      envelope,
      allocation,
      by,
    });
    await setStable({ pipeline, version: version.name, by });
    expect(await takenBack()).toEqual([]);
  });

  test('in later releases, while the code of its functions is the same', async () => {
    const functions = { parse: 'p1', store: 's1' };
    await context.sql.query('update autoflow.releases set functions = $2 where pipeline = $1', [pipeline, functions]);
    const release = { pipeline, spec: (await context.store.definitions.release(pipeline, 'r1'))!.spec };
    const { registerRelease, setStable } = context.store.definitions;
    for (const [hash, code] of [
      ['same', functions],
      ['changed', { ...functions, store: 's2' }],
    ] as const)
      // prettier-ignore
      await registerRelease({ release: { ...release, hash, functions: code }, topology, envelope, allocation, by });
    expect([await takenBack('same'), await takenBack('changed')]).toEqual([['v2'], []]);
    await setStable({ pipeline, version: 'v3', by });
    await expect(own(await again('same', 2048), `b-${pipeline}`)).rejects.toMatchObject(refused);
  });
});
