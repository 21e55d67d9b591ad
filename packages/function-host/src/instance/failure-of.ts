import { StageFailure } from '@autoflow/topology/execution';
import type { InvocationFailure } from './protocol.js';

/** Errors of the batch store that another attempt cannot heal, and what they are called to the interpreter. */
const TERMINAL: { readonly [name: string]: string } = {
  BatchMissingError: StageFailure.batchMissing,
  BatchCorruptError: 'BatchCorrupt',
  BatchRefInvalidError: 'BatchRefInvalid',
  RecordTooLargeError: 'RecordTooLarge',
};

export const isTerminal = (error: unknown): boolean => TERMINAL[(error as Error | undefined)?.name ?? ''] !== undefined;

/** Of the batch store: it may answer at another attempt, unless it says that it cannot. */
export function storeFailure(error: unknown): InvocationFailure {
  const { name, message } = errorOf(error);
  return { type: TERMINAL[name] ?? name, message, retryable: TERMINAL[name] === undefined };
}

/** Of running the functions, beside what handlers throw: the invocation is wrong, or we are, and another attempt fails the same way. */
export function runFailure(error: unknown): InvocationFailure {
  const { name, message } = errorOf(error);
  return {
    type: 'InvocationBroken',
    message: `the functions cannot be run: ${name}: ${message}`,
    retryable: false,
  };
}

const errorOf = (error: unknown): { readonly name: string; readonly message: string } =>
  error instanceof Error ? error : { name: 'Error', message: String(error) };
