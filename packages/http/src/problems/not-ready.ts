import { ServiceUnavailableException } from '@nestjs/common';
import { ProblemError } from './problem-error.js';

/** Turns what a failed health check throws into `NOT_READY`, which names the parts that did not answer. */
export function notReady(error: unknown): never {
  if (!(error instanceof ServiceUnavailableException)) throw error;
  const { error: failed = {} } = error.getResponse() as { error?: Record<string, { message?: string }> };
  const names = Object.keys(failed);
  const errors = names.map((name) => ({ parameter: name, message: failed[name]?.message ?? 'does not answer' }));
  throw new ProblemError('NOT_READY', `No answer from ${names.join(' and ')}.`, errors);
}
