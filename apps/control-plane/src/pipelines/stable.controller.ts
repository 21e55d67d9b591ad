import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import { SetStable, Stable, StableSet } from '@autoflow/client/schemas';
import { type By, Caller, etagOf, Get, IfMatch, Put } from '@autoflow/http';
import type { PipelineRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { noticesFor } from '../settings/settings.js';
import { findPipeline, findVersion } from './lookup.js';

/** The pointer that new executions follow. */
@Controller('v1/pipelines/:pipeline/stable')
export class StableController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', {
    summary: 'The version that new executions get',
    access: 'viewer',
    answers: Stable,
    etag: true,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Res({ passthrough: true }) response: Response) {
    return answered(await findPipeline(this.store, pipeline), response);
  }

  @Put('', {
    summary: 'Roll back, or forward: every execution started after the answer gets this version; those under way end on theirs',
    access: 'operator',
    note: 'Done in spite of a freeze or a pin, which bind AutoFlow and not people; `notices` says so.',
    answers: StableSet,
    etag: true,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN', 'MALFORMED_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID_BODY'],
  })
  async set(
    @Param('pipeline') pipeline: string,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetStable }) { version, reason }: z.output<typeof SetStable>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    await findPipeline(this.store, pipeline);
    await findVersion(this.store, pipeline, version);
    const row = await this.store.definitions.setStable({ pipeline, version, ...(revision !== undefined && { revision }), by: by(reason) });
    return { ...answered(row, response), notices: await noticesFor(this.store, pipeline, version) };
  }
}

function answered({ stable }: PipelineRow, response: Response) {
  response.setHeader('ETag', etagOf(stable.revision));
  return stable;
}
