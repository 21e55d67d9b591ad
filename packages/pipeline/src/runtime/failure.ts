import { isTerminalError } from '../terminal-error.js';

/** Why a function failed for a record. A terminal failure is not tried again. */
export class Failure {
  constructor(
    readonly terminal: boolean,
    readonly code: string,
    readonly message: string,
  ) {}

  /** The handler broke its declaration: trying again would not help. */
  static wrongAnswer(message: string): Failure {
    return new Failure(true, 'WRONG_ANSWER', message);
  }

  static of(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const { name, code, message, cause } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
      name?: unknown;
      code?: unknown;
      message?: unknown;
      cause?: unknown;
    };
    const label = [code, name].find((candidate) => typeof candidate === 'string' && candidate !== '') as string | undefined;
    const because = cause instanceof Error && cause.message ? `: ${cause.message}` : '';
    const text = typeof message === 'string' ? message + because : describe(thrown);
    return new Failure(isTerminalError(thrown), (label ?? 'ERROR').slice(0, 100), presentable(text));
  }
}

const LONGEST = 2_000;

/** Errors are stored and shown: credentials in addresses go, and so does the tail of what quotes a whole batch. */
function presentable(text: string): string {
  const redacted = text.replace(/(\w+:\/\/)[^\s/@]*@/g, '$1…@');
  return redacted.length > LONGEST ? `${redacted.slice(0, LONGEST)}…` : redacted;
}

function describe(thrown: unknown): string {
  try {
    return `${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)} was thrown, which is no Error`;
  } catch {
    return `a ${typeof thrown} was thrown, which is no Error`;
  }
}
