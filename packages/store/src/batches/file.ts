/** Batches as files: `<folder>/<day>/<batch>/<label>-<random>.ndjson`. All hosts of a fleet must see the same folder. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BatchRef } from '@autoflow/topology';
import type { BatchStore, BatchStoreSettings } from './contract.js';
import { BatchCorruptError, BatchMissingError, BatchRefInvalidError } from './errors.js';
import { countRecords, decodeLines, encodeLines } from './lines.js';

type Settings = Extract<BatchStoreSettings, { driver: 'file' }>;

const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;
/** Three plain names, none of which begins with a dot: a ref cannot lead out of the folder. */
const REF = /^file:(\d{4}-\d\d-\d\d\/[\w-][\w.-]*\/[\w-][\w.+-]*\.ndjson)$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

/**
 * A file appears under its name only when it is whole: after a crash of the process a batch is there or missing, never cut off. Without `fsync`
 * a crash of the machine may lose or cut what was written in the last seconds; it is noticed on reading. With it, a write of one record takes
 * as long as the disk needs.
 */
export function fileBatchStore({ folder, fsync = false }: Settings): BatchStore {
  return {
    async write({ batchId, label }, records) {
      const name = `${new Date().toISOString().slice(0, 10)}/${batchFolder(batchId)}/${plain(label)}-${randomBytes(9).toString('base64url')}.ndjson`;
      const path = join(folder, name);
      const temporary = `${path}.tmp`;
      try {
        const bytes = await writeFile(temporary, encodeLines(records, WRITE_BYTES), fsync);
        await rename(temporary, path);
        if (fsync) await syncFolder(dirname(path));
        return { ref: `file:${name}`, bytes, counts: countRecords(records) };
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw error;
      }
    },

    async read(ref) {
      const file = await openBatch(folder, ref);
      try {
        const { size } = await file.stat();
        if (size !== ref.bytes) throw new BatchCorruptError(ref.ref, `found ${size} bytes, expected ${ref.bytes}`);
        return await decodeLines(ref, chunksOf(file, size));
      } finally {
        await file.close();
      }
    },

    async removeOlderThan(cutoff, keep) {
      const kept = new Set([...keep].map(batchFolder));
      let removed = 0;
      for (const day of await namesIn(folder)) {
        // A day is old when its last moment is.
        if (!DAY.test(day) || Date.parse(day) + DAY_MS > cutoff.getTime()) continue;
        const batches = await namesIn(join(folder, day));
        const old = batches.filter((batch) => !kept.has(batch));
        for (const batch of old) await rm(join(folder, day, batch), { recursive: true, force: true });
        if (old.length === batches.length) await rm(join(folder, day), { recursive: true, force: true });
        removed += old.length;
      }
      return removed;
    },

    async close() {},
  };
}

/** Readable, and different for different ids. */
function batchFolder(batchId: string): string {
  return `${plain(batchId).slice(0, 60)}-${createHash('sha256').update(batchId).digest('hex').slice(0, 16)}`;
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9-]+/g, '_').slice(0, 100);
}

async function writeFile(path: string, chunks: Iterable<Buffer>, fsync: boolean): Promise<number> {
  const file = await createFile(path);
  try {
    let bytes = 0;
    for (const chunk of chunks) {
      await file.appendFile(chunk);
      bytes += chunk.length;
    }
    if (fsync) await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Folders are there already but for the first file of a batch. */
async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'wx');
  }
}

/** The new name itself must reach the disk too. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openBatch(folder: string, { ref }: BatchRef): Promise<FileHandle> {
  const name = REF.exec(ref)?.[1];
  if (name === undefined) throw new BatchRefInvalidError(ref, 'file');
  try {
    return await open(join(folder, name), 'r');
  } catch (error) {
    throw isMissing(error) ? new BatchMissingError(ref) : error;
  }
}

async function* chunksOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(READ_BYTES, size - at)), 0, undefined, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === 'ENOENT';
}
