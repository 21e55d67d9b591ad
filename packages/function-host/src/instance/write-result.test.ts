import type { RecordState } from '@autoflow/pipeline';
import { RecordTooLargeError, type BatchStore } from '@autoflow/store/batches';
import type { StageInvocation } from '@autoflow/topology';
import { expect, it } from 'vitest';
import { writeResult } from './write-result.js';

const invocation = {
  pipeline: 'p',
  batchId: 'b',
  stage: 's',
  nodes: ['f', 'g'],
} as unknown as StageInvocation;
const state = (index: number, fields: RecordState['fields'] = {}): RecordState => ({ index, key: `k${index}`, arrivedAt: 'then', fields });

/** A store that holds no record with a field `large`. */
function smallStore(): {
  batches: Pick<BatchStore, 'write'>;
  files: Map<string, readonly RecordState[]>;
} {
  const files = new Map<string, readonly RecordState[]>();
  const write: BatchStore['write'] = async ({ label }, records) => {
    const large = records.find(({ fields }) => fields['large'] !== undefined);
    if (large) throw new RecordTooLargeError(large.index);
    files.set(label, records);
    return {
      ref: label,
      bytes: 1,
      counts: { records: records.length, live: 0, filtered: 0, dying: 0 },
    };
  };
  return { batches: { write }, files };
}

it('lets only the records die that are too large, and writes the others', async () => {
  const { batches, files } = smallStore();
  const records = [0, 1, 2, 3, 4].map((index) => state(index, { n: index }));
  const retry = { at: 'f', attempts: 1, code: 'X', message: 'x' };
  const { answer, result } = await writeResult(batches, invocation, records, {
    done: [state(0, { n: 0 }), state(2, { n: 2, large: 1 }), { ...state(3, { n: 3, large: 1 }), filtered: { by: 'f', reason: 'no' } }],
    retry: [
      { ...state(1, { n: 1 }), retry },
      { ...state(4, { n: 4, large: 1 }), retry },
    ],
    spans: [],
  });
  const death = { in: 's', code: 'RECORD_TOO_LARGE' };
  expect(files.get('s')).toMatchObject([
    { index: 0 },
    { index: 2, fields: { n: 2 }, death, failed: ['f', 'g'] },
    { index: 3, fields: { n: 3 }, filtered: { by: 'f' } },
    { index: 4, fields: { n: 4 }, death },
  ]);
  expect(files.get('s.retry')?.map(({ index }) => index)).toEqual([1]);
  expect(files.get('s')?.some((record) => record.retry)).toBe(false);
  expect(answer).toMatchObject({
    output: { ref: 's' },
    retry: { ref: 's.retry' },
  });
  expect(result.done).toBe(files.get('s'));
});

it('keeps no field of a record that came too large, and writes no file of retries when none is left', async () => {
  const { batches, files } = smallStore();
  const retry = { at: 'f', attempts: 1, code: 'X', message: 'x' };
  const came = state(0, { large: 1 });
  const { answer } = await writeResult(batches, invocation, [came], {
    done: [],
    retry: [{ ...came, retry }],
    spans: [],
  });
  expect(files.get('s')).toMatchObject([{ index: 0, fields: {}, death: { code: 'RECORD_TOO_LARGE' } }]);
  expect(answer.retry).toBeUndefined();
});

it('passes on what else the store throws', async () => {
  const gone = Object.assign(new Error('no such batch'), {
    name: 'BatchMissingError',
  });
  const batches = { write: () => Promise.reject(gone) };
  await expect(
    writeResult(batches, invocation, [], {
      done: [state(0)],
      retry: [],
      spans: [],
    }),
  ).rejects.toBe(gone);
});
