import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessMark } from './processes.js';

/** What a stack writes to `stack.json` in its folder, readable by its user only (the database URL holds a password). */
export interface StackState {
  readonly format: 1;
  readonly name: string;
  readonly mode: 'persistent' | 'ephemeral';
  /** The process that called `startStack`; absent when the stack was stopped cleanly. */
  readonly owner?: ProcessMark;
  readonly servers: { readonly temporal?: ProcessMark; readonly postgres?: ProcessMark };
  /** Used again at the next start when they are still free. */
  readonly ports: { readonly temporal?: number; readonly temporalUi?: number; readonly postgres?: number };
  /** Where the data of Postgres lies. */
  readonly postgresHome?: string;
  readonly temporal?: { readonly address: string; readonly namespace: string; readonly external: boolean; readonly uiUrl?: string };
  readonly databaseUrl?: string;
}

export function stateFileOf(folder: string): string {
  return join(folder, 'stack.json');
}

/** The state last written in `folder`; undefined when there is none that can be read. */
export function readState(folder: string): StackState | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFileOf(folder), 'utf8')) as StackState;
    return state.format === 1 ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the state at once: a reader sees the old one or the new one. */
export function writeState(folder: string, state: StackState): void {
  const file = stateFileOf(folder);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(state, null, 2) + '\n', { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

export function isRunning(state: StackState | undefined): state is StackState & { owner: ProcessMark } {
  return state?.owner !== undefined && isAlive(state.owner);
}
