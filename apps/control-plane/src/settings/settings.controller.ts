import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import { ChangeSettings, OperationSettings } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, etagOf, Get, IfMatch, Patch, ProblemError } from '@autoflow/http';
import type { SettingsRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { presentSettings } from './settings.js';

/** How far AutoFlow may go by itself: autonomy, freezes, pin, objective, spend cap, schedule. */
@Controller('v1/pipelines/:pipeline')
export class SettingsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('settings', {
    summary: 'Autonomy, freezes, pinned version, objective, spend cap, and how often it is optimized, with what training',
    access: 'viewer',
    answers: OperationSettings,
    etag: true,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Res({ passthrough: true }) response: Response) {
    await findPipeline(this.store, pipeline);
    return answered((await this.store.settings.get(pipeline))!, response);
  }

  @Patch('', {
    summary: 'Change some of the settings; what is left out stays, null takes it away',
    access: 'operator',
    answers: OperationSettings,
    etag: true,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', ...BODY_PROBLEMS],
  })
  async change(
    @Param('pipeline') pipeline: string,
    @IfMatch() revision: number | undefined,
    @Body({ schema: ChangeSettings }) { reason, ...change }: z.output<typeof ChangeSettings>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    await findPipeline(this.store, pipeline);
    const { pinned } = change;
    if (typeof pinned === 'string' && (await this.store.definitions.version(pipeline, pinned)) === undefined) {
      const message = `${pipeline} has no version ${pinned}`;
      throw new ProblemError('INVALID_BODY', `${message}.`, [{ pointer: '/pinned', message }]);
    }
    const row = await this.store.settings.change({ pipeline, change, ...(revision !== undefined && { revision }), by: by(reason) });
    return answered(row, response);
  }
}

function answered(row: SettingsRow, response: Response) {
  response.setHeader('ETag', etagOf(row.revision));
  return presentSettings(row);
}
