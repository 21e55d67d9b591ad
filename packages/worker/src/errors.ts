/** What an activity refuses for good. Everything else that is thrown may succeed when it is tried again. */
import { ApplicationFailure } from '@temporalio/common';

/** `ApplicationFailure.type` of the refusals of the platform activities. */
export type RefusalCode = 'UNKNOWN_PIPELINE' | 'NOT_RECORDED' | 'NOT_IDENTIFIABLE' | 'INVALID_RECORD' | 'PAYLOAD_TOO_LARGE';

export function refuse(code: RefusalCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}

/** Codes of the store that no later attempt can change. Trouble with the schema or with access is for an operator to mend meanwhile. */
const FINAL: readonly string[] = [
  'NOT_FOUND',
  'BATCH_MISSING',
  'BATCH_CORRUPT',
  'BATCH_REF_INVALID',
  'INVALID_KEY',
  'RECORD_TOO_LARGE',
  'ALREADY_EXISTS',
  'NOT_RUNNING',
];

/** Wraps an activity so that what it throws is an ApplicationFailure, with the error's code as type, retryable unless the code is final. */
export function atActivityBoundary<A extends readonly unknown[], R>(activity: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await activity(...args);
    } catch (error) {
      throw failureOf(error);
    }
  };
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ApplicationFailure || !('code' in error) || typeof error.code !== 'string')
    return error;
  const final = error.name === 'SourceError' || FINAL.includes(error.code);
  return ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: final, cause: error });
}
