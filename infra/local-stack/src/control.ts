import { setTimeout as delay } from 'node:timers/promises';
import { discard, stopOrphans } from './leftovers.js';
import { StackError } from './errors.js';
import { isAlive } from './processes.js';
import { stackFolder, type StackOptions } from './stack.js';
import { isRunning, readState, type StackState } from './state.js';

/** The state of a stack that a living process owns and that is up; undefined otherwise. */
export function runningStack(options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>): StackState | undefined {
  const state = readState(stackFolder(options));
  return isRunning(state) && state.databaseUrl !== undefined ? state : undefined;
}

/** The worker, the control plane and the rate service of `up` each have 45 s to end, one after the other, then the servers 20 s. */
const OWNER_ENDS_WITHIN_MS = 180_000;

/**
 * Ends a stack that another process owns: asks the owner with SIGTERM, waits until it is gone, and only then ends
 * whatever it left: work that is being finished keeps its servers. Answers whether there was anything to end. Fails with
 * the `StackError` STILL_STOPPING, having stopped nothing, when the owner is not gone after `withinMs`.
 */
export async function stopStack(
  options: Pick<StackOptions, 'name' | 'dataFolder' | 'env'>,
  withinMs = OWNER_ENDS_WITHIN_MS,
): Promise<boolean> {
  const state = readState(stackFolder(options));
  if (state?.owner === undefined) return false;
  if (isAlive(state.owner)) process.kill(state.owner.pid, 'SIGTERM');
  for (const deadline = Date.now() + withinMs; isAlive(state.owner) && Date.now() < deadline;) await delay(50);
  if (isAlive(state.owner))
    throw new StackError(
      'STILL_STOPPING',
      `Stack ${options.name} was asked to stop, but its process ${state.owner.pid} still runs after ${withinMs / 1000} s: it finishes work that has begun. ` +
        `Wait and ask again, or end it by force with \`kill -9 ${state.owner.pid}\` and ask again.`,
    );
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
