import { StoreError } from '../errors.js';

/** Terminal: the batch store has nothing under this ref; it was removed after the retention, or lost. */
export class BatchMissingError extends StoreError {
  override readonly name = 'BatchMissingError';
  constructor(ref: string) {
    super('BATCH_MISSING', `the batch store has no ${ref}. Its retention must exceed the longest execution; feed the records again.`, {
      ref,
    });
  }
}

/** Terminal: what lies under the ref is not what was written. */
export class BatchCorruptError extends StoreError {
  override readonly name = 'BatchCorruptError';
  constructor(ref: string, found: string) {
    super('BATCH_CORRUPT', `${ref} is damaged: ${found}. Feed the records again.`, { ref, found });
  }
}

/** Terminal: not a ref of this store. Nothing was looked at. */
export class BatchRefInvalidError extends StoreError {
  override readonly name = 'BatchRefInvalidError';
  constructor(ref: string, driver: string) {
    super(
      'BATCH_REF_INVALID',
      `${JSON.stringify(ref.slice(0, 200))} is not a ref of the ${driver} batch store. All hosts of a fleet need the same batch store.`,
      { driver },
    );
  }
}

/** Terminal: one record is longer than the 512 MB that a string can hold. */
export class RecordTooLargeError extends StoreError {
  override readonly name = 'RecordTooLargeError';
  constructor(index: number) {
    super('RECORD_TOO_LARGE', `record ${index} of the batch is too large to be written as JSON (more than 512 MB).`, { index });
  }
}
