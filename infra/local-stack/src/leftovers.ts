import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stopProcess } from './processes.js';
import { isRunning, readState, type StackState } from './state.js';

/** Ends the servers that an owner left behind when it was killed. */
export async function stopOrphans(state: StackState | undefined): Promise<void> {
  const { temporal, postgres } = state?.servers ?? {};
  await Promise.all([temporal && stopProcess(temporal, 'SIGTERM'), postgres && stopProcess(postgres, 'SIGINT')]);
}

/** Removes what is left of ephemeral stacks beside `folder` whose owners are gone. */
export async function sweep(folder: string): Promise<void> {
  const siblings = existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : [];
  for (const sibling of siblings.filter((name) => name !== basename(folder))) {
    const path = join(dirname(folder), sibling);
    const state = readState(path);
    if (state?.mode !== 'ephemeral' || isRunning(state)) continue;
    await stopOrphans(state);
    discard(path, state);
  }
}

/** Removes the folder of a stack, and its database where that had to lie elsewhere. */
export function discard(folder: string, { postgresHome }: StackState): void {
  if (postgresHome) rmSync(postgresHome, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
