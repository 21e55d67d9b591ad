import pino from 'pino';
import type { WorkerOptions } from './contract.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;

/** One JSON object per line on stdout. */
export function createLog({ host, logLevel = 'info' }: Pick<WorkerOptions, 'host' | 'logLevel'>): Log {
  const logger = pino({ level: logLevel, base: { host } });
  return (level, message, details) => logger[level](details ?? {}, message);
}
