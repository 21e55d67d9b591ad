export type * from './model.js';
export type * from './access.model.js';
export type * from './backfills.model.js';
export type * from './decisions.model.js';
export type * from './definitions.model.js';
export type * from './hosts.model.js';
export type * from './ledger.model.js';
export type * from './metering.model.js';
export type * from './metrics.model.js';
export type * from './bundles.model.js';
export type * from './control.model.js';
export type * from './ended-records.model.js';
export type * from './arms.model.js';
export type * from './feeder.model.js';
export type * from './inbox.model.js';
export type * from './events.model.js';
export type * from './dead-letters.model.js';
export type * from './idempotency.model.js';
export type * from './optimizations.model.js';
export type * from './pages.model.js';
export type * from './recordings.model.js';
export type * from './comparisons.model.js';
export type * from './rollouts.model.js';
export type * from './savings.model.js';
export type * from './scorers.model.js';
export type * from './settings.model.js';
export type * from './tokens.model.js';
export type * from './training.model.js';
export type * from './batches/contract.js';
export { LEASE_MS } from './fleet.model.js';
export type * from './fleet.model.js';
export type { Log } from './database.js';
export {
  AlreadyExistsError,
  HostTakenError,
  InvalidKeyError,
  LastAdminError,
  NotFoundError,
  NotRunningError,
  OptimizationRunningError,
  OutsideClampError,
  RolloutActiveError,
  RolloutRefusedError,
  SchemaError,
  StaleCursorError,
  StaleRevisionError,
  StaleVersionError,
  StoreError,
  StoreUnavailableError,
  type StoreErrorCode,
} from './errors.js';
export { armOf, bucketsOf, BUCKETS } from './arms.model.js';
export { MAX_FEEDS, roomOf } from './feeder.model.js';
export { AHEAD_AT_MOST } from './inbox.model.js';
export { bucketOf, digestOf, recordDigest } from './record-digest.js';
export { observed, type Observed } from './observed.js';
export { survivingRows } from './surviving-rows.js';
export { createMeteringWriter, type MeteringWriter, type MeteringWriterOptions } from './metering-writer.js';
export { createRecordingWriter, type RecordingWriter, type RecordingWriterOptions } from './recording-writer.js';
export { openStore, type StoreOptions } from './open-store.js';
