import { StageFailure } from '@autoflow/topology/execution';
import type { InvocationFailure } from './protocol.js';

/** Errors of the batch store that another attempt cannot heal, and what they are called to the interpreter. */
const TERMINAL: { readonly [name: string]: string } = {
  BatchMissingError: StageFailure.batchMissing,
  BatchCorruptError: 'BatchCorrupt',
  BatchRefInvalidError: 'BatchRefInvalid',
  RecordTooLargeError: 'RecordTooLarge',
};

export const isTerminal = (error: unknown): boolean => TERMINAL[(error as Error).name] !== undefined;

/** What failed beside the handlers: reading and writing the batch. */
export function failureOf(error: unknown): InvocationFailure {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { type: TERMINAL[name] ?? name, message, retryable: TERMINAL[name] === undefined };
}
