import { Controller, Inject, Param } from '@nestjs/common';
import { Release, ReleaseList } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import { STORE } from '../ports.js';
import { findPipeline, findRelease } from './lookup.js';

@Controller('v1/pipelines/:pipeline/releases')
export class ReleasesController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', { summary: 'All releases, oldest first', access: 'viewer', answers: ReleaseList, problems: ['PIPELINE_UNKNOWN'] })
  async list(@Param('pipeline') pipeline: string) {
    await findPipeline(this.store, pipeline);
    const releases = await this.store.definitions.releases(pipeline);
    return { items: releases.map(({ hash, createdAt }) => ({ hash, createdAt })) };
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
