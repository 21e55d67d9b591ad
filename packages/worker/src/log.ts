import { DefaultLogger, Runtime } from '@temporalio/worker';
import pino from 'pino';
import type { WorkerOptions } from './contract.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;

/** One JSON object per line on stdout. */
export function createLog({ host, logLevel = 'info' }: Pick<WorkerOptions, 'host' | 'logLevel'>): Log {
  const logger = pino({ level: logLevel, base: { host } });
  return (level, message, details) => logger[level](details ?? {}, message);
}

/** Sends what the SDK logs the same way. The SDK has one logger per process: a process that has chosen one keeps it. */
export function adoptSdkLog(log: Log, { logLevel = 'info' }: Pick<WorkerOptions, 'logLevel'>): void {
  const logger = new DefaultLogger(SDK_LEVELS[logLevel], ({ level, message, meta }) => {
    if (!message.startsWith(ACTIVITY_ONLY)) log(level === 'TRACE' ? 'debug' : OUR_LEVELS[level], message, meta);
  });
  try {
    Runtime.install({ logger });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'IllegalStateError') throw error;
  }
}

/** What the SDK warns of for every pool: their Workers run activities only, on purpose. */
const ACTIVITY_ONLY = 'No workflows registered';

/** The SDK reports every change of state of every pool's Worker as info: that is for debugging. */
const SDK_LEVELS = { debug: 'DEBUG', info: 'WARN', warn: 'WARN', error: 'ERROR' } as const;
const OUR_LEVELS = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
