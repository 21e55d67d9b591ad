import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The file is there whole or not at all; writing the same name twice is harmless. */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const draft = draftOf(file);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, content);
  await rename(draft, file);
}

/** The folder is there with all its files or not at all. A folder that is there already is kept: its name says what is in it. */
export async function writeFolderAtomically(folder: string, files: { readonly [name: string]: string | Uint8Array }): Promise<void> {
  const draft = draftOf(folder);
  await mkdir(draft, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(draft, name), content);
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

const draftOf = (path: string): string => join(dirname(path), `.${basename(path)}.${randomUUID()}`);
