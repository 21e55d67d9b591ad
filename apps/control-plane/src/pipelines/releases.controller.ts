import { Controller, Inject, Param, Query } from '@nestjs/common';
import { Release, ReleaseList, ReleasesQuery } from '@autoflow/client/schemas';
import { Get, pageOf } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { findPipeline, findRelease } from './lookup.js';

@Controller('v1/pipelines/:pipeline/releases')
export class ReleasesController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'All releases, oldest first', access: 'viewer', answers: ReleaseList, problems: ['PIPELINE_UNKNOWN'] })
  async list(@Param('pipeline') pipeline: string, @Query({ schema: ReleasesQuery }) { limit, cursor }: z.output<typeof ReleasesQuery>) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.pages.releases(pipeline, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(
      rows,
      limit,
      (row) => row,
      ({ hash }) => hash,
    );
  }

  @Get(':release', {
    summary: 'One release with its wiring',
    access: 'viewer',
    answers: Release,
    problems: ['PIPELINE_UNKNOWN', 'RELEASE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Param('release') hash: string) {
    await findPipeline(this.store, pipeline);
    const { createdAt, spec } = await findRelease(this.store, pipeline, hash);
    return { hash, createdAt, spec };
  }
}
