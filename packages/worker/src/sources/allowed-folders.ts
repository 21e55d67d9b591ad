/** Which files of its machine a worker lets backfills read. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { SourceError } from './source.js';

/**
 * The path with its links resolved, which is what is to be opened: it lies in one of the folders, theirs resolved too. Throws
 * `SOURCE_FORBIDDEN` when it does not, whether or not there is such a file. Without folders every path may be read.
 */
export async function readablePath(path: string, folders: readonly string[] | undefined): Promise<string> {
  if (folders === undefined) return path;
  const real = await resolved(path);
  for (const folder of folders) if (isWithin(await resolved(folder), real)) return real;
  throw new SourceError(
    'SOURCE_FORBIDDEN',
    `${path} is in no folder that the control worker reads sources from. Put the file into one of them, or add its folder to AUTOFLOW_SOURCES of the worker`,
  );
}

/** Of what is not there, its place in the folder that is. */
async function resolved(path: string): Promise<string> {
  const folder = () => realpath(dirname(path)).catch(() => resolve(dirname(path)));
  return realpath(path).catch(async () => join(await folder(), basename(path)));
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
