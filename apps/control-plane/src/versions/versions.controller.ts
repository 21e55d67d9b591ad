import { Body, Controller, HttpStatus, Inject, Param, Query, Res } from '@nestjs/common';
import {
  NewVersion,
  Registered,
  VersionCertificate,
  VersionDetail,
  VersionDiff,
  VersionList,
  VersionsQuery,
} from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, Post } from '@autoflow/http';
import type { Response } from 'express';
import type { z } from 'zod';
import { VersionsService } from './versions.service.js';

@Controller('v1/pipelines/:pipeline/versions')
export class VersionsController {
  constructor(@Inject(VersionsService) private readonly versions: VersionsService) {}

  @Post('', {
    summary: 'Propose a topology by hand: it is checked like any other. 201 when the version is new, 200 when it was there',
    access: 'admin',
    answers: Registered,
    status: 201,
    maybeThere: true,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', ...BODY_PROBLEMS, 'VERSION_ILLEGAL', 'ENVELOPE_INVALID', 'ALLOCATION_OUT_OF_BOUNDS'],
  })
  async register(
    @Param('pipeline') pipeline: string,
    @Body({ schema: NewVersion }) body: z.output<typeof NewVersion>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    const registered = await this.versions.register(pipeline, body, by);
    if (!registered.created) response.status(HttpStatus.OK);
    return registered;
  }

  @Get('', {
    summary: 'Versions, in the order in which they were registered',
    access: 'viewer',
    answers: VersionList,
    problems: ['PIPELINE_UNKNOWN'],
  })
  list(@Param('pipeline') pipeline: string, @Query({ schema: VersionsQuery }) page: z.output<typeof VersionsQuery>) {
    return this.versions.list(pipeline, page);
  }

  @Get(':version', {
    summary: 'One version with its topology and envelope, what it has been, and what it did in the last day',
    access: 'viewer',
    answers: VersionDetail,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN'],
  })
  show(@Param('pipeline') pipeline: string, @Param('version') version: string) {
    return this.versions.show(pipeline, version);
  }

  @Get(':version/certificate', {
    summary: 'Of a version that an optimizer proposed: every rewrite from its parent with the side conditions that hold',
    access: 'viewer',
    answers: VersionCertificate,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN', 'CERTIFICATE_NONE'],
  })
  certificate(@Param('pipeline') pipeline: string, @Param('version') version: string) {
    return this.versions.certificate(pipeline, version);
  }

  @Get(':from/diff/:to', {
    summary: 'What changes from one version to another, in words and as a Mermaid flowchart of both',
    access: 'viewer',
    answers: VersionDiff,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN'],
  })
  diff(@Param('pipeline') pipeline: string, @Param('from') from: string, @Param('to') to: string) {
    return this.versions.diff(pipeline, from, to);
  }
}
