/** The stored form of a batch: one JSON line per record, in chunks, so that no batch is ever one string. */
import type { RecordState } from '@autoflow/pipeline';
import type { BatchRef, RecordCounts } from '@autoflow/topology';
import { BatchCorruptError, RecordTooLargeError } from './errors.js';

const NEWLINE = 0x0a;

/** Chunks of about `chunkBytes`; a record that is longer makes its chunk longer. */
export function* encodeLines(records: readonly RecordState[], chunkBytes: number): Generator<Buffer> {
  let text = '';
  for (const record of records) {
    const line = encodeLine(record);
    if (text.length > 0 && text.length + line.length > chunkBytes) {
      yield Buffer.from(text);
      text = '';
    }
    text += line;
  }
  if (text.length > 0) yield Buffer.from(text);
}

function encodeLine(record: RecordState): string {
  try {
    return `${JSON.stringify(record)}\n`;
  } catch (error) {
    if (error instanceof RangeError) throw new RecordTooLargeError(record.index);
    throw error;
  }
}

export function countRecords(records: readonly RecordState[]): RecordCounts {
  let filtered = 0;
  let dying = 0;
  for (const record of records) {
    if (record.filtered !== undefined) filtered++;
    else if (record.death !== undefined) dying++;
  }
  return { records: records.length, live: records.length - filtered - dying, filtered, dying };
}

/** Reads what `encodeLines` wrote, cut into chunks anywhere; `BatchCorruptError` unless it is exactly what the ref says. */
export async function decodeLines(ref: BatchRef, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<RecordState[]> {
  const records: RecordState[] = [];
  let bytes = 0;
  /** The beginning of a line whose end has not come yet. */
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    bytes += chunk.length;
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) {
      if (chunk.length > 0) rest.push(chunk);
      continue;
    }
    parseLines(ref, rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]), records);
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
  }
  if (bytes !== ref.bytes || rest.length > 0 || records.length !== ref.counts.records)
    throw new BatchCorruptError(
      ref.ref,
      `found ${records.length} whole records in ${bytes} bytes, expected ${ref.counts.records} in ${ref.bytes}`,
    );
  return records;
}

function parseLines(ref: BatchRef, lines: Buffer, into: RecordState[]): void {
  for (const line of lines.toString('utf8').split('\n')) {
    try {
      into.push(JSON.parse(line) as RecordState);
    } catch {
      throw new BatchCorruptError(ref.ref, `line ${into.length + 1} is not JSON (${line.length} characters)`);
    }
  }
}
