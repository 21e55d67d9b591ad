import type { BackfillRow } from './backfills.model.js';
import type { PipelineRow, ReleaseRow, VersionRow } from './definitions.model.js';

/** Lists in pages: `after` is what `cursor` of the last row said. */
export interface PageStore {
  /** By name. */
  pipelines(page: { limit: number; after?: string }): Promise<PipelineRow[]>;
  /** Oldest first; `after` is a hash. */
  releases(pipeline: string, page: { limit: number; after?: string }): Promise<Pick<ReleaseRow, 'hash' | 'createdAt'>[]>;
  /** In the order in which they were registered; `after` is a name. */
  versions(pipeline: string, page: { limit: number; after?: string }): Promise<VersionRow[]>;
  /** Newest first; `after` is an id. */
  backfills(pipeline: string, page: { limit: number; after?: string }): Promise<BackfillRow[]>;
}
