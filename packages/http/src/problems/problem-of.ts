import { HttpException } from '@nestjs/common';
import { StoreError } from '@autoflow/store';
import { ThrottlerException } from '@nestjs/throttler';
import { ProblemError } from './problem-error.js';
import type { ProblemCode } from './problems.js';

/** The problem for whatever was thrown; undefined for what nobody foresaw. */
export function problemOf(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof StoreError) return new ProblemError(codeOfStoreError(error), sentence(error.message), [], { cause: error });
  if (error instanceof ThrottlerException)
    return new ProblemError('RATE_LIMITED', 'This address has sent more requests than it may within a minute.');
  if (error instanceof HttpException) return ofHttpException(error);
  return undefined;
}

const UNKNOWN: Readonly<Record<string, ProblemCode>> = {
  pipeline: 'PIPELINE_UNKNOWN',
  release: 'RELEASE_UNKNOWN',
  version: 'VERSION_UNKNOWN',
  backfill: 'BACKFILL_UNKNOWN',
  rollout: 'ROLLOUT_UNKNOWN',
  optimization: 'OPTIMIZATION_UNKNOWN',
  training: 'TRAINING_UNKNOWN',
  token: 'TOKEN_UNKNOWN',
};

function codeOfStoreError({ code, details, retryable }: StoreError): ProblemCode {
  if (retryable) return 'STORE_UNAVAILABLE';
  switch (code) {
    case 'STALE_REVISION':
    case 'ALREADY_EXISTS':
    case 'LAST_ADMIN':
    case 'ROLLOUT_ACTIVE':
    case 'ROLLOUT_REFUSED':
    case 'OPTIMIZATION_RUNNING':
      return code;
    case 'OUTSIDE_CLAMP':
      return 'ALLOCATION_OUT_OF_BOUNDS';
    case 'NOT_RUNNING':
      return details['kind'] === 'rollout' ? 'ROLLOUT_ENDED' : 'BACKFILL_ENDED';
    case 'NOT_FOUND':
      return UNKNOWN[String(details['kind'])] ?? 'STORE_FAILED';
    default:
      return 'STORE_FAILED';
  }
}

/** What Nest, Express and the body parser throw; `cause` is the parser's own error. */
function ofHttpException(error: HttpException): ProblemError {
  const { type, limit } = (error.cause ?? {}) as { type?: string; limit?: number };
  switch (error.getStatus()) {
    case 404:
      return new ProblemError('ROUTE_UNKNOWN', sentence(error.message));
    case 413:
      return new ProblemError(
        'BODY_TOO_LARGE',
        limit === undefined ? 'The body is larger than permitted.' : `The body is larger than ${limit} bytes.`,
      );
    case 415:
      return new ProblemError('UNSUPPORTED_MEDIA_TYPE', sentence(error.message));
    default:
      return type === 'entity.parse.failed'
        ? new ProblemError('MALFORMED_JSON', sentence(error.message))
        : new ProblemError('MALFORMED_REQUEST', sentence(error.message));
  }
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}
