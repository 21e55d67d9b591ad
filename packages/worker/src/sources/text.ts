/** Text of a file, plain or gzipped (told by its first bytes), checked to be text. Memory stays bounded whatever the file holds. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SourceError } from './source.js';

/** No line, and no row of a CSV file, may be longer: 16 Mi characters. */
export const MAXIMUM_LINE = 16 * 1024 * 1024;

/** Decoded chunks of the file. Throws `SourceError` when it is missing, unreadable, truncated or not UTF-8 text. */
export async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 1;
  const decode = (bytes?: Uint8Array): string => {
    try {
      const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      if (text.includes('\0')) throw new TypeError('a NUL byte');
      return text;
    } catch (error) {
      throw new SourceError(
        'SOURCE_NOT_TEXT',
        `${path} is not UTF-8 text (near line ${lines}). Convert it to UTF-8; compressed files must be gzip.`,
        { cause: error },
      );
    }
  };
  for await (const bytes of readBytes(path)) {
    const text = decode(bytes);
    yield text;
    lines += countLines(text);
  }
  const rest = decode();
  if (rest) yield rest;
}

async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const gzipped = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const stream = gzipped ? pipeline(file, createGunzip(), () => {}) : file;
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw typed(path, error);
  } finally {
    file.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw typed(path, error);
  }
}

function typed(path: string, error: unknown): Error {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (code === 'ENOENT')
    return new SourceError('SOURCE_MISSING', `there is no file ${path} on the machine of the control worker.`, { cause: error });
  if (code === 'Z_BUF_ERROR')
    return new SourceError('SOURCE_TRUNCATED', `${path} ends in the middle of its compressed data. Copy it again.`, { cause: error });
  if (code.startsWith('Z_')) return new SourceError('SOURCE_CORRUPT', `${path} is damaged: ${message}. Copy it again.`, { cause: error });
  if (/^E[A-Z]+$/.test(code)) return new SourceError('SOURCE_UNREADABLE', `${path} cannot be read: ${message}.`, { cause: error });
  return error as Error;
}

/** Lines without their end, empty ones included, with their number from 1. */
export async function* readLines(path: string): AsyncGenerator<{ line: string; number: number }> {
  let rest = '';
  let number = 1;
  for await (const chunk of readText(path)) {
    const lines = (rest + (number === 1 && rest === '' ? chunk.replace(/^\uFEFF/, '') : chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield { line: line.endsWith('\r') ? line.slice(0, -1) : line, number: number++ };
    if (rest.length > MAXIMUM_LINE) throw tooLong(path, number);
  }
  if (rest) yield { line: rest, number };
}

export function tooLong(path: string, line: number): SourceError {
  return new SourceError(
    'SOURCE_LINE_TOO_LONG',
    `line ${line} of ${path} is longer than ${MAXIMUM_LINE} characters. Is it the right file, one record per line?`,
  );
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
