/** Why a stack could not be started or read: a stable code, and a message that says what was found and what to do. */
export class StackError extends Error {
  override readonly name = 'StackError';

  constructor(
    readonly code: StackErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type StackErrorCode =
  | 'STACK_NAME'
  | 'STACK_RUNNING'
  | 'STACK_SHARED'
  | 'STILL_STOPPING'
  | 'STACK_SERVER_LOST'
  | 'TEMPORAL_MISSING'
  | 'TEMPORAL_NOT_STARTED'
  | 'TEMPORAL_UNREACHABLE'
  | 'TEMPORAL_NAMESPACE'
  | 'TEMPORAL_SEARCH_ATTRIBUTES'
  | 'POSTGRES_MISSING'
  | 'POSTGRES_NOT_STARTED'
  | 'POSTGRES_UNREACHABLE'
  | 'POSTGRES_NO_USER'
  | 'FOLDER_NOT_OURS';

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
