/**
 * What the store throws. The first fork is `retryable`: true means that the same call may succeed later without anybody doing anything.
 * `code` is stable. No message and no detail holds a connection string, a token or a field of a record.
 */
export type StoreErrorCode =
  | 'ALREADY_EXISTS'
  | 'BATCH_CORRUPT'
  | 'BATCH_MISSING'
  | 'BATCH_REF_INVALID'
  | 'HOST_TAKEN'
  | 'INVALID_KEY'
  | 'LAST_ADMIN'
  | 'NOT_FOUND'
  | 'NOT_RUNNING'
  | 'OPTIMIZATION_RUNNING'
  | 'OUTSIDE_CLAMP'
  | 'RECORD_TOO_LARGE'
  | 'ROLLOUT_ACTIVE'
  | 'ROLLOUT_REFUSED'
  | 'SCHEMA_ALTERED'
  | 'SCHEMA_MISSING'
  | 'SCHEMA_TOO_NEW'
  | 'SETTINGS_INVALID'
  | 'STALE_CURSOR'
  | 'STALE_REVISION'
  | 'STALE_VERSION'
  | 'STORE_FAILED'
  | 'STORE_REFUSED'
  | 'STORE_UNAVAILABLE';

export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    readonly retryable = false,
  ) {
    super(message);
  }
}

/** Somebody was faster: the row has another revision than the caller had seen. Read again, decide again. */
export class StaleRevisionError extends StoreError {
  override readonly name = 'StaleRevisionError';
  constructor(
    what: string,
    readonly found: number,
    readonly current: number,
  ) {
    super('STALE_REVISION', `${what} has revision ${current}, the request was made for ${found}. Read it again and decide again.`, {
      found,
      current,
    });
  }
}

/** Another feeder has consumed this stretch of the source. */
export class StaleCursorError extends StoreError {
  override readonly name = 'StaleCursorError';
  constructor(
    backfill: string,
    readonly found: number,
    readonly current: number,
  ) {
    super(
      'STALE_CURSOR',
      `backfill ${backfill} stands at ${current}, the batch was read at ${found}. Read the backfill again and go on from there.`,
      { found, current },
    );
  }
}

/** The stable pointer has moved since the batch's version was resolved. Resolve again and open the batch with what is stable now. */
export class StaleVersionError extends StoreError {
  override readonly name = 'StaleVersionError';
  constructor(
    pipeline: string,
    readonly found: string,
    readonly current: string,
  ) {
    super('STALE_VERSION', `the stable version of ${pipeline} is ${current}, the batch was made for ${found}. Resolve it again.`, {
      found,
      current,
    });
  }
}

export class NotFoundError extends StoreError {
  override readonly name = 'NotFoundError';
  constructor(kind: string, name: string) {
    super('NOT_FOUND', `there is no ${kind} ${JSON.stringify(name)}.`, { kind, name });
  }
}

export class AlreadyExistsError extends StoreError {
  override readonly name = 'AlreadyExistsError';
  constructor(kind: string, name: string) {
    super('ALREADY_EXISTS', `there is a ${kind} ${JSON.stringify(name)} already. Choose another name.`, { kind, name });
  }
}

/** Without this token nobody could let anybody in. */
export class LastAdminError extends StoreError {
  override readonly name = 'LastAdminError';
  constructor(name: string, what: string) {
    super(
      'LAST_ADMIN',
      `${JSON.stringify(name)} is the last admin token without an expiry, so it cannot be ${what}. Create another admin token first.`,
      { name },
    );
  }
}

/** An operator has bound the stage more narrowly than its envelope does. */
export class OutsideClampError extends StoreError {
  override readonly name = 'OutsideClampError';
  constructor(
    readonly stage: string,
    what: string,
  ) {
    super('OUTSIDE_CLAMP', `${stage} is clamped by an operator: ${what}. Lift or widen the clamp first.`, { stage });
  }
}

/** The backfill (rollout) is paused or has ended, so it takes no batch (or no other state). */
export class NotRunningError extends StoreError {
  override readonly name = 'NotRunningError';
  constructor(
    id: string,
    readonly state: string,
    kind: 'backfill' | 'rollout' = 'backfill',
  ) {
    super('NOT_RUNNING', `${kind} ${id} is ${state}.`, { kind, state });
  }
}

/** Of the rollouts of a pipeline one runs at a time. */
export class RolloutActiveError extends StoreError {
  override readonly name = 'RolloutActiveError';
  constructor(pipeline: string, rollout: string) {
    super('ROLLOUT_ACTIVE', `rollout ${rollout} of ${pipeline} has not ended. Wait for it, or abort it first.`, { rollout });
  }
}

/** This version may not get traffic. */
export class RolloutRefusedError extends StoreError {
  override readonly name = 'RolloutRefusedError';
  constructor(version: string, why: string) {
    super('ROLLOUT_REFUSED', `${version} is not rolled out: ${why}.`, { version });
  }
}

/** One at a time: two would propose from the same measurements. */
export class OptimizationRunningError extends StoreError {
  override readonly name = 'OptimizationRunningError';
  constructor(
    pipeline: string,
    readonly running: string,
  ) {
    super('OPTIMIZATION_RUNNING', `${pipeline} is being optimized already (${running}). Wait for its end, or cancel it.`, { running });
  }
}

/** A key that Postgres cannot hold or index: `indexes` are the positions in the list that was given. */
export class InvalidKeyError extends StoreError {
  override readonly name = 'InvalidKeyError';
  constructor(readonly indexes: readonly number[]) {
    const some = indexes.slice(0, 5).join(', ') + (indexes.length > 5 ? ', …' : '');
    super(
      'INVALID_KEY',
      `${indexes.length} records have a key that cannot be stored (at ${some}). A key is 1 to 512 characters, without NUL and without halves of surrogate pairs.`,
      {
        indexes,
      },
    );
  }
}

/** Retryable: a process of this name is alive, or was seconds ago. */
export class HostTakenError extends StoreError {
  override readonly name = 'HostTakenError';
  constructor(host: string) {
    super(
      'HOST_TAKEN',
      `another process of this fleet is called '${host}'. Give every process a name of its own (AUTOFLOW_HOST).`,
      { host },
      true,
    );
  }
}

/** Retryable: the database cannot be reached, is starting, stopping, read-only or full, or had to abort the transaction. */
export class StoreUnavailableError extends StoreError {
  override readonly name = 'StoreUnavailableError';
  constructor(where: string, why: string) {
    super('STORE_UNAVAILABLE', `Postgres at ${where} is not available (${why}). The call can be repeated.`, { where, why }, true);
  }
}

/** The schema of the database is not the one that this program was built for. */
export class SchemaError extends StoreError {
  override readonly name = 'SchemaError';
  constructor(code: 'SCHEMA_TOO_NEW' | 'SCHEMA_ALTERED' | 'SCHEMA_MISSING', message: string) {
    super(code, message);
  }
}
