import type { LoggerService } from '@nestjs/common';
import type { Log } from '@autoflow/store';

/** Injection token of the service's log. */
export const LOG = Symbol('Log');

/** What Nest itself has to say: warnings and errors only. */
export function nestLogger(log: Log): LoggerService {
  return {
    log: () => undefined,
    warn: (message: unknown) => log('warn', String(message)),
    error: (message: unknown, ...details: unknown[]) => log('error', String(message), { details }),
  };
}
