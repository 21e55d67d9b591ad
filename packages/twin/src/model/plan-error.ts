/** A plan that cannot be predicted; `message` says what was found and what to do. */
export class PlanError extends Error {
  constructor(
    readonly code: 'NO_MODEL' | 'BAD_MODEL' | 'BAD_TOPOLOGY' | 'BAD_ALLOCATION' | 'MEMORY_TOO_SMALL' | 'BAD_LOAD',
    message: string,
  ) {
    super(message);
    this.name = 'PlanError';
  }
}
