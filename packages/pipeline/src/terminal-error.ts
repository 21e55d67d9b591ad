const brand = Symbol.for('autoflow.TerminalError');

/** Fails this record only, at once: it goes to the dead letters. Anything else that is thrown is tried again. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    Object.defineProperty(this, brand, { value: true });
  }
}

/** By brand, not by class: a bundle holds its own copy of this module. */
export function isTerminalError(error: unknown): error is TerminalError {
  return typeof error === 'object' && error !== null && (error as { [brand]?: unknown })[brand] === true;
}
