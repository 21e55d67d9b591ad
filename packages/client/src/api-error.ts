import type { Problem } from './schemas/problem.js';

/** The API refused or failed, and said why. `problem.code` is stable; `problem.retryable` says whether the same request may succeed later. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
  get code(): string {
    return this.problem.code;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** Nothing that speaks for AutoFlow answered: connection refused or lost, no answer in time, or a stranger at the address. */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';

  constructor(
    readonly url: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`The AutoFlow API at ${url} cannot be reached: ${why}. Start it (autoflow up), or give its address.`, options);
  }
}
