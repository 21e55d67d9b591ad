import { CliError } from '../errors.js';

/**
 * Aborted by the first SIGINT, SIGTERM or SIGHUP, also by one that comes while a stack is still starting; what it is about to do is said
 * at once. Further signals change nothing: nobody means to leave servers behind by pressing Ctrl-C twice.
 */
export function interruption(what: string, say: (line: string) => void): AbortSignal {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      say(asked.signal.aborted ? 'still stopping' : 'stopping');
      asked.abort(new CliError('INTERRUPTED', `${what} was ended by ${signal}.`));
    });
  return asked.signal;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
