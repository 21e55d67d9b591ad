/** For instance processes: importing this costs neither Postgres nor the rest of the store. */
import type { BatchStore, BatchStoreSettings } from './contract.js';
import { fileBatchStore } from './file.js';
import { postgresBatchStore } from './postgres.js';

export type { BatchStore, BatchStoreSettings } from './contract.js';
export { BatchCorruptError, BatchMissingError, BatchRefInvalidError, RecordTooLargeError } from './errors.js';

/** Opens nothing yet: a folder or database that cannot be used shows at the first call. */
export function openBatchStore(settings: BatchStoreSettings): BatchStore {
  switch (settings.driver) {
    case 'file':
      return fileBatchStore(settings);
    case 'postgres':
      return postgresBatchStore(settings);
  }
}
