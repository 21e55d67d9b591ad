/** Cuts a stream into lines, holding no more of it than one chunk and one line of bounded length. */
import { isUtf8 } from 'node:buffer';

export type Line =
  { readonly number: number; readonly text: string; readonly bytes: number } | { readonly number: number; readonly problem: string };

const NEWLINE = 0x0a;
const BLANK = /^[ \t\r]*$/;

/**
 * The lines of a body, as many at a time as a chunk of it ends; numbered from 1, empty ones left out. One that is longer than `longest` bytes, or that is not UTF-8, is answered as a
 * problem; the lines behind it are read all the same. A stream that breaks off throws, and its last, unfinished line is not answered.
 */
export async function* linesOf(body: AsyncIterable<Buffer>, longest: number): AsyncGenerator<readonly Line[]> {
  let number = 1;
  /** The beginning of a line whose end has not come yet; of one that is too long only its length is kept. */
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length > longest) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  let lines: Line[] = [];
  const end = () => {
    const line = lineOf(number++, parts, length, longest);
    [parts, length] = [[], 0];
    if (line !== undefined) lines.push(line);
  };
  for await (const chunk of body) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, to));
      from = to + 1;
      end();
    }
    // A copy: what is kept must not keep the whole chunk with it.
    add(Buffer.from(chunk.subarray(from)));
    if (lines.length > 0) yield lines;
    lines = [];
  }
  if (length > 0) end();
  if (lines.length > 0) yield lines;
}

function lineOf(number: number, parts: readonly Buffer[], length: number, longest: number): Line | undefined {
  if (length > longest) return { number, problem: `the line has ${length} bytes, more than ${longest}` };
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  if (!isUtf8(bytes)) return { number, problem: 'the line is not UTF-8 text' };
  const text = bytes.toString('utf8');
  return BLANK.test(text) ? undefined : { number, text, bytes: length };
}
