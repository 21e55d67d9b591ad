import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, linesOf } from './lines.js';

async function linesIn(chunks: readonly (string | Uint8Array)[], longest = 20): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk as string))), longest)) lines.push(...some);
  return lines;
}
const texts = (lines: readonly Line[]) => lines.map((line) => [line.number, 'text' in line ? line.text : line.problem]);

test('lines are the same however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 6 })), fc.array(fc.nat(60)), async (words, cuts) => {
      const bytes = Buffer.from(words.map((word) => word.replaceAll('\n', ' ')).join('\n'));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((to, i) => bytes.subarray(places[i], to));
      expect(await linesIn(chunks, 1000)).toEqual(await linesIn([bytes], 1000));
    }),
  );
});

test('numbers count every line, empty ones are left out, the last needs no end', async () => {
  expect(texts(await linesIn(['{"a":1}\n\n  \r\n{"b"', ':2}\r\n3']))).toEqual([
    [1, '{"a":1}'],
    [4, '{"b":2}\r'],
    [5, '3'],
  ]);
  expect(await linesIn([])).toEqual([]);
});

test('a line that is too long or no text is a problem of its own', async () => {
  const lines = await linesIn(['short\n', 'x'.repeat(15), 'x'.repeat(15), '\n', Uint8Array.of(0xff, 0xfe, 0x0a), 'after\n']);
  expect(texts(lines)).toEqual([
    [1, 'short'],
    [2, 'the line has 30 bytes, more than 20'],
    [3, 'the line is not UTF-8 text'],
    [4, 'after'],
  ]);
});

test('a stream that breaks off gives its whole lines, and then throws', async () => {
  async function* broken() {
    yield Buffer.from('one\ntw');
    throw new Error('the client is gone');
  }
  const seen: Line[] = [];
  const reading = (async () => {
    for await (const some of linesOf(broken(), 20)) seen.push(...some);
  })();
  await expect(reading).rejects.toThrow('the client is gone');
  expect(texts(seen)).toEqual([[1, 'one']]);
});
