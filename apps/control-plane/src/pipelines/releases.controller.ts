import { Body, Controller, HttpStatus, Inject, Param, Query, Res } from '@nestjs/common';
import { DeployRelease, Deployment, Release, ReleaseList, ReleasesQuery } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, pageOf, Post } from '@autoflow/http';
import type { PipelineRow, ReleaseRow, Store, VersionRow } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { DeployService } from '../releases/deploy.service.js';
import { findPipeline, findRelease } from './lookup.js';

@Controller('v1/pipelines/:pipeline/releases')
export class ReleasesController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(DeployService) private readonly deployments: DeployService,
  ) {}

  @Post('', {
    summary: 'Deploy an uploaded release: new executions get it, those under way end on theirs. 201 when its version is new, 200 otherwise',
    note: 'With `hold` it is registered only; with `dryRun` nothing is changed.',
    access: 'admin',
    answers: Deployment,
    status: 201,
    maybeThere: true,
    idempotent: 'kept',
    problems: ['RELEASE_NOT_UPLOADED', 'STALE_REVISION', ...BODY_PROBLEMS, 'VERSION_ILLEGAL'],
  })
  async deploy(
    @Param('pipeline') pipeline: string,
    @Body({ schema: DeployRelease }) body: z.output<typeof DeployRelease>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    const deployment = await this.deployments.deploy(pipeline, body, by);
    if (!deployment.created || deployment.dryRun) response.status(HttpStatus.OK);
    return deployment;
  }

  @Get('', { summary: 'All releases, oldest first', access: 'viewer', answers: ReleaseList, problems: ['PIPELINE_UNKNOWN'] })
  async list(@Param('pipeline') name: string, @Query({ schema: ReleasesQuery }) { limit, cursor }: z.output<typeof ReleasesQuery>) {
    const pipeline = await findPipeline(this.store, name);
    const rows = await this.store.pages.releases(name, { limit, ...(cursor !== undefined && { after: cursor }) });
    const [releases, versions] = await Promise.all([this.store.definitions.releases(name), this.store.definitions.versions(name)]);
    const known = new Map(releases.map((release) => [release.hash, release]));
    return pageOf(
      rows,
      limit,
      ({ hash }) => presented(known.get(hash)!, versions, pipeline),
      ({ hash }) => hash,
    );
  }

  @Get(':release', {
    summary: 'One release with its wiring',
    access: 'viewer',
    answers: Release,
    problems: ['PIPELINE_UNKNOWN', 'RELEASE_UNKNOWN'],
  })
  async show(@Param('pipeline') name: string, @Param('release') hash: string) {
    const pipeline = await findPipeline(this.store, name);
    const release = await findRelease(this.store, name, hash);
    return { ...presented(release, await this.store.definitions.versions(name), pipeline), spec: release.spec };
  }
}

function presented({ hash, createdAt, functions }: ReleaseRow, versions: readonly VersionRow[], { stable }: PipelineRow) {
  return {
    hash,
    createdAt,
    stable: hash === stable.release,
    versions: versions.filter(({ release }) => release === hash).map(({ name }) => name),
    ...(functions !== undefined && { functions: { ...functions } }),
  };
}
