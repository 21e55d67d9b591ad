export type ReleaseErrorCode =
  | 'RELEASE_MODULE_MISSING'
  | 'RELEASE_DOES_NOT_BUNDLE'
  | 'RELEASE_DOES_NOT_LOAD'
  | 'RELEASE_WITHOUT_PIPELINE'
  | 'RELEASE_MISSING'
  | 'RELEASE_DAMAGED';

/** The same module or folder fails again, but for RELEASE_MISSING: it may be on its way to this host. The message says what was found and what to do. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';

  constructor(
    readonly code: ReleaseErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
