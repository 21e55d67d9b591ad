export type ReleaseErrorCode =
  | 'RELEASE_MODULE_MISSING'
  | 'RELEASE_DOES_NOT_BUNDLE'
  | 'RELEASE_DOES_NOT_LOAD'
  | 'RELEASE_WITHOUT_PIPELINE'
  | 'RELEASE_MISSING'
  | 'RELEASE_UNAVAILABLE'
  | 'RELEASE_DAMAGED';

/** The same module or release fails again, unless it is `retryable`. The message says what was found and what to do. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';

  constructor(
    readonly code: ReleaseErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** It may be on its way, or the store may be back soon. */
  get retryable(): boolean {
    return this.code === 'RELEASE_MISSING' || this.code === 'RELEASE_UNAVAILABLE';
  }
}
