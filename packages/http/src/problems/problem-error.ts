import type { Problem, ProblemLocation } from '@autoflow/client';
import { PROBLEMS, type ProblemCode, type ProblemKind } from './problems.js';

/** Thrown anywhere in a service, answered as `application/problem+json`. `detail` says what was found. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly errors: readonly ProblemLocation[] = [],
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  toProblem(requestId: string): Problem {
    const { status, title, remedy, retryable = false }: ProblemKind = PROBLEMS[this.code];
    const { code, message: detail, errors } = this;
    const type = `https://autoflow.dev/errors/${code}`;
    return { type, status, code, title, detail, remedy, retryable, requestId, ...(errors.length > 0 && { errors: [...errors] }) };
  }
}
