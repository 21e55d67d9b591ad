import { setTimeout as delay } from 'node:timers/promises';
import { discard, stopOrphans } from './leftovers.js';
import { isAlive } from './processes.js';
import { stackFolder, type StackOptions } from './stack.js';
import { isRunning, readState, type StackState } from './state.js';

/** The state of a stack that a living process owns and that is up; undefined otherwise. */
export function runningStack(options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>): StackState | undefined {
  const state = readState(stackFolder(options));
  return isRunning(state) && state.databaseUrl !== undefined ? state : undefined;
}

/**
 * Ends a stack that another process owns: asks the owner with SIGTERM and waits until it is gone (a minute at most),
 * then ends whatever it left. Answers whether there was anything to end.
 */
export async function stopStack(options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>): Promise<boolean> {
  const state = readState(stackFolder(options));
  if (state?.owner === undefined) return false;
  if (isAlive(state.owner)) process.kill(state.owner.pid, 'SIGTERM');
  for (const deadline = Date.now() + 60_000; isAlive(state.owner) && Date.now() < deadline;) await delay(50);
  await stopOrphans(readState(stackFolder(options)));
  return true;
}

/** Ends a stack as `stopStack` does, and removes everything that it has kept. */
export async function removeStack(options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>): Promise<void> {
  await stopStack(options);
  const folder = stackFolder(options);
  const state = readState(folder);
  if (state) discard(folder, state);
}
