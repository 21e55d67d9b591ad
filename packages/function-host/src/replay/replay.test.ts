import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asWritten } from '@autoflow/topology';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRelease, type Release } from '../release/build-release.js';
import { fixture } from '../testing/neighbours.js';
import { createReplay, NOT_RECORDED, type Replay, type ReplayRecord, type ReplayRequest } from './index.js';

let folder: string;
let release: Release;
let replay: Replay;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-releases-'));
  release = await buildRelease(fixture('trouble'), folder);
  replay = createReplay({ releases: folder, log: () => {} });
});
afterAll(async () => {
  replay.close();
  await rm(folder, { recursive: true });
});

const record = (mode: string): ReplayRecord => ({ id: `live/${mode}`, arrivedAt: new Date(0), record: { id: mode, mode, amount: 1 } });
const answered = (mode: string) =>
  [`live/${mode}`, [{ input: { acted: true }, answer: { fields: { tokenLength: 7, opened: 1 } } }]] as const;

describe('a replay', () => {
  const run = (modes: readonly string[], change: Partial<ReplayRequest> = {}) => {
    const topology = asWritten(release.specs.find(({ name }) => name === 'trouble')!);
    return replay.run({
      pipeline: 'trouble',
      release: release.hash,
      topology,
      memoryMb: Object.fromEntries(topology.stages.map(({ name }) => [name, [256, 512]])),
      records: modes.map(record),
      answers: { 'ask-vault': Object.fromEntries(modes.filter((mode) => mode !== 'throw').map(answered)) },
      batchSizes: [10],
      strict: true,
      signal: new AbortController().signal,
      ...change,
    });
  };

  it('gives every record its outcome; reads are answered from what was recorded; who kills its process dies alone', async () => {
    // `devour` runs the modes too: those that throw and hang end in it, after `act` has answered for them.
    const { records, invocations } = await run(['ok', 'unwanted', 'extra-field', 'exit', 'kill', 'pid']);
    expect(records.map(({ outcome }) => outcome)).toMatchObject([
      { state: 'completed', key: 'live/ok', output: { id: 'ok', acted: true } },
      { state: 'filtered', by: 'keep-wanted' },
      { state: 'dead', in: 'act', code: 'UNDECLARED_FIELD' },
      { state: 'dead', code: 'InstanceDied' },
      { state: 'dead', code: 'InstanceDied' },
      { state: 'completed', output: { id: 'pid' } },
    ]);
    const [ok] = records;
    expect(ok!.calls['ask-vault']).toEqual([{ input: { acted: true }, answer: { fields: { tokenLength: 7, opened: 1 } } }]);
    expect(Object.keys(ok!.calls)).toEqual(['keep-wanted', 'act', 'devour', 'ask-vault']);
    expect(invocations.every(({ memoryMb, usage }) => memoryMb === 256 && usage.cpuMs > 0)).toBe(true);
  });

  it('says of which function nothing was recorded', async () => {
    const { records } = await run(['ok', 'pid'], { answers: {} });
    for (const { outcome } of records) expect(outcome).toMatchObject({ state: 'dead', in: 'ask-vault', code: NOT_RECORDED });
  });

  it('refuses, as a record that is dead, what the release does not take', async () => {
    const { records } = await run(['ok'], { records: [{ id: 'x', arrivedAt: new Date(0), record: { id: 'x' } }] });
    expect(records[0]!.outcome).toMatchObject({ state: 'dead', in: 'input', code: 'INVALID_RECORD' });
  });

  it('stops when it is told to, and leaves nothing behind', async () => {
    const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('autoflow-replay-'));
    const before = await left();
    const controller = new AbortController();
    const running = run(['hang-async', 'ok'], { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await expect(running).rejects.toThrow('no longer wanted');
    expect(await left()).toEqual(before);
  });
});
