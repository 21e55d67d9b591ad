import fc from 'fast-check';
import type { RecordState } from '@autoflow/pipeline';
import { expect, test } from 'vitest';
import { countRecords, decodeLines, encodeLines } from './lines.js';

const records: fc.Arbitrary<RecordState[]> = fc
  .array(fc.record({ key: fc.string({ unit: 'binary' }), fields: fc.dictionary(fc.string(), fc.string({ unit: 'binary' })) }))
  .map((list) => list.map(({ key, fields }, index) => ({ index, key, arrivedAt: 'x', fields: { ...fields } })));

test('lines survive being cut anywhere, in the middle of a character too', async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 50 }), async (list, chunkBytes, cut) => {
      const bytes = Buffer.concat([...encodeLines(list, chunkBytes)]);
      const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) => bytes.subarray(i * cut, (i + 1) * cut));
      const ref = { ref: 'x', bytes: bytes.length, counts: countRecords(list) };
      expect(JSON.stringify(await decodeLines(ref, chunks))).toBe(JSON.stringify(list));
    }),
  );
});

test('chunks are about as large as asked for', () => {
  const list: RecordState[] = Array.from({ length: 100 }, (_, index) => ({
    index,
    key: 'k',
    arrivedAt: 'x',
    fields: { pad: 'x'.repeat(1000) },
  }));
  const sizes = [...encodeLines(list, 10_000)].map((chunk) => chunk.length);
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000);
});
