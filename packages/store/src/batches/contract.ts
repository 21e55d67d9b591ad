/** The batch store: where batches live between stages. Only instances and the platform's own activities read and write it. */
import type { RecordState } from '@autoflow/pipeline';
import type { BatchRef } from '@autoflow/topology';

export interface BatchStore {
  /** Durable when it resolves. Bytes are those of the stored form (one JSON line per record). */
  write(where: { pipeline: string; batchId: string; label: string }, records: readonly RecordState[]): Promise<BatchRef>;
  /** Throws `BatchMissingError` (terminal) for a ref that is not there, `BatchCorruptError` for a damaged one. */
  read(ref: BatchRef): Promise<RecordState[]>;
  /** Removes what is older; answers how many batches' files went. Never touches a batch named in `keep`. */
  removeOlderThan(cutoff: Date, keep: ReadonlySet<string>): Promise<number>;
  close(): Promise<void>;
}

/** Serialisable, so that a host can hand it to an instance process. */
export type BatchStoreSettings =
  /** `fsync` (default false): survives a crash of the machine, not only of the process. */
  | { readonly driver: 'file'; readonly folder: string; readonly fsync?: boolean }
  | { readonly driver: 'postgres'; readonly connectionString: string };
