import { BACKFILL } from './backfills.store.js';
import type { Database } from './database.js';
import { PIPELINE, VERSION } from './definitions.store.js';
import type { BackfillRow } from './backfills.model.js';
import type { PipelineRow, ReleaseRow, VersionRow } from './definitions.model.js';
import type { PageStore } from './pages.model.js';
import { many } from './rows.js';

/** A cursor that names nothing (any more) is followed by nothing: no page comes twice. */
export function pageStore(database: Database): PageStore {
  return {
    pipelines: ({ limit, after }) =>
      many<PipelineRow>(database, `${PIPELINE} where ($1::text is null or p.name > $1) order by p.name limit $2`, [after, limit]),
    releases: (pipeline, { limit, after }) =>
      many<Pick<ReleaseRow, 'hash' | 'createdAt'>>(
        database,
        `select hash, created_at as "createdAt" from autoflow.releases
          where pipeline = $1 and ($2::text is null or (created_at, hash) > (select created_at, hash from autoflow.releases where pipeline = $1 and hash = $2))
          order by created_at, hash limit $3`,
        [pipeline, after, limit],
      ),
    versions: (pipeline, { limit, after }) =>
      many<VersionRow>(
        database,
        `${VERSION} where pipeline = $1 and ($2::text is null or number > (select number from autoflow.versions where pipeline = $1 and name = $2))
          order by number limit $3`,
        [pipeline, after, limit],
      ),
    backfills: (pipeline, { limit, after }) =>
      many<BackfillRow>(
        database,
        `${BACKFILL} where pipeline = $1
           and ($2::text is null or (created_at, id) < (select created_at, id from autoflow.backfills where pipeline = $1 and id = $2))
          order by created_at desc, id desc limit $3`,
        [pipeline, after, limit],
      ),
  };
}
