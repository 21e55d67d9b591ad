import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEnforcer } from '../enforcement/detect.js';
import { InstanceProcess } from '../process/instance-process.js';
import { Gate } from './gate.js';
import { Instances } from './instances.js';
import { Occupancy } from './occupancy.js';

const enforcer = createEnforcer('soft');
const never = new AbortController().signal;
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'autoflow-instances-'))));
afterAll(async () => {
  enforcer.close();
  await rm(folder, { recursive: true });
});

/** What an instance's program does with the release that it is to load. */
const LOADING = { hangs: '', exits: 'process.exit(7)', succeeds: `process.send({ type: 'ready', call })` };

async function instancesThat(load: keyof typeof LOADING, starting = new Gate(1), startWithinMs = 20_000, turnMs = 10) {
  const program = join(folder, `${load}.cjs`);
  await writeFile(
    program,
    `process.on('disconnect', () => process.exit());
     process.on('message', ({ type, call }) => { if (type === 'close') process.exit(); ${LOADING[load]}; });`,
  );
  const started: InstanceProcess[] = [];
  const settings = { pipeline: 'p', bundle: '', batchStore: { driver: 'file', folder }, secrets: {} } as const;
  const create = (): InstanceProcess => {
    const instance = new InstanceProcess({
      ...{ program, settings, memoryMb: 256, enforcer, environment: {}, startWithinMs, graceMs: 500, log: () => {} },
    });
    started.push(instance);
    return instance;
  };
  return { instances: new Instances(() => Promise.resolve(create), starting, 60_000, new Occupancy(), turnMs), started };
}

it('a release that never ends loading is broken after the second start, and not waited for again', async () => {
  const { instances, started } = await instancesThat('hangs', new Gate(1), 50);
  await expect(instances.take([], never)).rejects.toMatchObject({ ended: { why: 'late' } });
  await expect(instances.take([], never)).rejects.toMatchObject({ ended: { why: 'broken' } });
  await expect(instances.take([], never)).rejects.toMatchObject({ ended: { why: 'broken' } });
  expect(started).toHaveLength(2);
});

it('a release that never ends loading does not hold up the others of its host', async () => {
  const starting = new Gate(1);
  const hanging = await instancesThat('hangs', starting);
  const sound = await instancesThat('succeeds', starting);
  const given = new AbortController();
  const endless = hanging.instances.take([], given.signal);
  (await sound.instances.take([], never)).release(true);
  given.abort(new Error('enough'));
  await expect(endless).rejects.toThrow('enough');
  await Promise.all([hanging.instances.close(), sound.instances.close()]);
});

it('a release that exits while it loads is broken at once', async () => {
  const { instances } = await instancesThat('exits');
  await expect(instances.take([], never)).rejects.toMatchObject({
    ended: { why: 'broken', message: expect.stringContaining('code 7') as string },
  });
});

it('the first instance of a pool is started before the second of another; who waits for a turn takes what is given back', async () => {
  const starting = new Gate(1);
  const pool = () => instancesThat('succeeds', starting, 20_000, 20_000);
  const [early, late] = [await pool(), await pool()];
  const first = await early.instances.take([], never);
  const leave = await starting.enter(never);
  const order: string[] = [];
  const gave = new AbortController();
  const taken = (name: string, instances: Instances, signal = never) =>
    instances.take([], signal).then((lease) => (order.push(name), lease));
  const left = taken('left', early.instances, gave.signal);
  const again = taken('again', early.instances);
  const second = taken('second', early.instances);
  const other = taken('other', late.instances);
  await new Promise(setImmediate);
  gave.abort(new Error('enough'));
  await expect(left).rejects.toThrow('enough');
  first.release(true);
  expect(await again).toMatchObject({ instance: first.instance, coldStartMs: 0 });
  leave();
  await Promise.all([second, other]);
  expect(order).toEqual(['again', 'other', 'second']);
  expect([early.started, late.started].map(({ length }) => length)).toEqual([2, 1]);
  for (const lease of [again, second, other]) (await lease).release(true);
  await Promise.all([early.instances.close(), late.instances.close()]);
});
