import { PORTION_BYTES, PORTION_RECORDS, type Sent } from '../admission/intake.js';
import type { Line } from './lines.js';

/** The records of a JSON body, in portions. One object is a list of one. */
export function* portionsOf(body: object): Generator<readonly Sent[]> {
  const records: readonly unknown[] = Array.isArray(body) ? body : [body];
  for (let from = 0; from < records.length; from += PORTION_RECORDS)
    yield records.slice(from, from + PORTION_RECORDS).map((record, at) => ({ place: { index: from + at }, record }));
}

/** A client that sends a record now and then does not wait until a portion is full. */
const LINGER_MS = 10;

/** The records of lines, in portions of bounded number and size: what is not taken in yet is not read any further. */
export async function* portionsOfLines(chunks: AsyncGenerator<readonly Line[]>): AsyncGenerator<readonly Sent[]> {
  let portion: Sent[] = [];
  let bytes = 0;
  const take = () => {
    const taken = portion;
    [portion, bytes] = [[], 0];
    return taken;
  };
  try {
    for (;;) {
      const reading = chunks.next();
      if (portion.length > 0 && !(await isSettledWithin(reading, LINGER_MS))) yield take();
      const { done, value } = await reading;
      if (done) break;
      for (const line of value) {
        portion.push(recordOf(line));
        bytes += 'bytes' in line ? line.bytes : 0;
        if (portion.length >= PORTION_RECORDS || bytes >= PORTION_BYTES) yield take();
      }
    }
    if (portion.length > 0) yield take();
  } finally {
    // Not waited for: the chunk that is being read may come late, or never.
    void chunks.return(undefined).catch(() => undefined);
  }
}

async function isSettledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}

function recordOf(line: Line): Sent {
  const place = { line: line.number };
  if ('problem' in line) return { place, problem: line.problem };
  try {
    return { place, record: JSON.parse(line.text) };
  } catch {
    // The parser's own message quotes the text, which may be anything.
    return { place, problem: `the line is not JSON (${line.text.length} characters)` };
  }
}
