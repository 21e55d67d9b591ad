import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinct, inputOf, nothingLeft, partsNeeded, rangeOf, type Piece } from './pieces.js';

const piece = (name: string, from: number, to: number, counts: Partial<Piece['ref']['counts']> = {}): Piece => ({
  ref: { ref: name, bytes: 100, counts: { records: to - from, live: to - from, filtered: 0, dying: 0, ...counts } },
  from,
  to,
});

/** A stage's files: its parts cover the batch. */
const stageFiles = (stage: string, parts: number, records: number): Piece[] =>
  Array.from({ length: parts }, (_, part) => rangeOf(part, parts, records)).map(({ from, to }, part) => piece(`${stage}${part}`, from, to));

describe('inputOf', () => {
  it('names exactly the records of the range, whatever files the stages before wrote', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 8 }),
        (records, before, of) => {
          const parts = Math.min(of, records);
          const files = before.flatMap((count, stage) => stageFiles(`s${stage}-`, Math.min(count, records), records));
          for (let part = 0; part < parts; part++) {
            const range = rangeOf(part, parts, records);
            const input = inputOf(files, range);
            const merged = [
              ...new Set(
                files
                  .filter(({ ref }) => input.inputs.includes(ref))
                  .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)),
              ),
            ].sort((a, b) => a - b);
            const taken = input.slice ? merged.slice(input.slice.from, input.slice.to) : merged;
            expect(taken).toEqual(Array.from({ length: range.to - range.from }, (_, at) => range.from + at));
            expect(input.records).toBe(taken.length);
          }
        },
      ),
    );
  });

  it('leaves the slice out when the files hold nothing else', () => {
    expect(inputOf([piece('a', 0, 5), piece('b', 5, 10)], { from: 5, to: 10 })).toEqual({
      inputs: [expect.objectContaining({ ref: 'b' })],
      records: 5,
    });
  });
});

describe('partsNeeded', () => {
  const batch = { records: 100, bytes: 250 };
  it('follows the topology while the batch is small', () => expect(partsNeeded([piece('a', 0, 10)], 10, 4, batch)).toBe(4));
  it('splits what has outgrown the bytes of a batch', () => expect(partsNeeded(stageFiles('a', 6, 60), 60, 1, batch)).toBe(3));
  it('makes no more parts than there are records', () => expect(partsNeeded(stageFiles('a', 2, 2), 2, 8, batch)).toBe(2));
});

it('parts cover the batch without gap or overlap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (records, of) => {
      const parts = Math.min(of, records);
      const ranges = Array.from({ length: parts }, (_, part) => rangeOf(part, parts, records));
      expect(ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at))).toEqual(
        Array.from({ length: records }, (_, at) => at),
      );
      expect(
        Math.max(...ranges.map(({ from, to }) => to - from)) - Math.min(...ranges.map(({ from, to }) => to - from)),
      ).toBeLessThanOrEqual(1);
    }),
  );
});

it('a stage is skipped when one of those before left nothing live or dying', () => {
  const empty = piece('a', 0, 3, { live: 0, filtered: 3 });
  expect(nothingLeft([[piece('b', 0, 3)], [empty]])).toBe(true);
  expect(nothingLeft([[piece('b', 0, 3)], [piece('c', 0, 3, { live: 0, filtered: 2, dying: 1 })]])).toBe(false);
});

it('a file that two stages pass on counts once', () =>
  expect(distinct([piece('a', 0, 1), piece('b', 0, 1), piece('a', 0, 1)]).map(({ ref }) => ref.ref)).toEqual(['a', 'b']));
