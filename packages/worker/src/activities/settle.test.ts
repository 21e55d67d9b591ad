import { expect, it } from 'vitest';
import type { RecordState } from '@autoflow/pipeline';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import { executionActivities } from './execution-activities.js';

const context = useTwoReleases();

const stateOf = (index: number, fields: object): RecordState => ({
  index,
  key: `${index}`,
  arrivedAt: new Date().toISOString(),
  fields: { id: `${index}`, ...fields },
});

it('completes a record only when every last stage has written it', async () => {
  const { store, batches, versions } = context;
  const write = (label: string, states: readonly RecordState[]) =>
    batches.write({ pipeline: PIPELINE, batchId: 'two-ends', label }, states);
  const records = [stateOf(0, {}), stateOf(1, {})];
  const { version } = await versions.resolve(PIPELINE, 'v1');
  const of = { pipeline: PIPELINE, version: version.name, release: version.release, scope: 's' };
  const ref = await write('input', records);
  await store.ledger.open({ batch: { ...of, id: 'two-ends', executionId: 'e', ref, memoryMb: {} }, records, replace: false });
  const whole = await write('left', [stateOf(0, { stamped: true }), stateOf(1, { stamped: true })]);
  const first = await write('right-0', [stateOf(0, {})]);
  const second = await write('right-1', [stateOf(1, {})]);
  const { counts, outcomes } = await executionActivities({ store, batches, versions, indexed: false }).settle({
    execution: { ...of, batchId: 'two-ends', batch: ref },
    outputs: [whole, first, { ...second, ref: second.ref.replace(/[0-9a-f]{8}/, '00000000') }],
    cancelled: false,
    collect: true,
  });
  expect(counts).toEqual({ completed: 1, filtered: 0, dead: 1, cancelled: 0 });
  expect(outcomes).toMatchObject([
    { key: '0', state: 'completed' },
    { key: '1', state: 'dead', code: 'BATCH_MISSING' },
  ]);
});
