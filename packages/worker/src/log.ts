import type { MetricMeter } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import pino from 'pino';
import type { WorkerOptions } from './contract.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object) => void;

/** One JSON object per line on stdout. */
export function createLog({ host, logLevel = 'info' }: Pick<WorkerOptions, 'host' | 'logLevel'>): Log {
  const logger = pino({ level: logLevel, base: { host } });
  return (level, message, details) => logger[level](details ?? {}, message);
}

/**
 * Sends what the SDK logs the same way, and its metrics to whoever asks at `metricsAddress`. The SDK has one runtime per process: a process
 * that has chosen one keeps it, and without metrics if it chose none.
 */
export function adoptRuntime(
  log: Log,
  { logLevel = 'info', metricsAddress }: Pick<WorkerOptions, 'logLevel' | 'metricsAddress'>,
): MetricMeter {
  const logger = new DefaultLogger(SDK_LEVELS[logLevel], ({ level, message, meta }) => {
    if (!message.startsWith(ACTIVITY_ONLY)) log(level === 'TRACE' ? 'debug' : OUR_LEVELS[level], message, meta);
  });
  const metrics = metricsAddress === undefined ? undefined : { prometheus: { bindAddress: metricsAddress } };
  try {
    return Runtime.install({ logger, ...(metrics && { telemetryOptions: { metrics } }) }).metricMeter;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'IllegalStateError') throw error;
    if (metrics !== undefined) log('warn', 'this process has a Temporal runtime already: no metrics are served', { metricsAddress });
    return Runtime.instance().metricMeter;
  }
}

/** What the SDK warns of for every pool: their Workers run activities only, on purpose. */
const ACTIVITY_ONLY = 'No workflows registered';

/** The SDK reports every change of state of every pool's Worker as info: that is for debugging. */
const SDK_LEVELS = { debug: 'DEBUG', info: 'WARN', warn: 'WARN', error: 'ERROR' } as const;
const OUR_LEVELS = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
