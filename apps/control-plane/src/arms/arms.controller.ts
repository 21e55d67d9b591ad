import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import { Arms, SetArms, SetFeeding } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, etagOf, Get, IfMatch, ProblemError, type ProblemCode, Put } from '@autoflow/http';
import type { Arms as ArmsRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

/** The store counts in buckets. */
const BUCKETS = 10_000;

const WRITES: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', ...BODY_PROBLEMS];

/** Candidate and holdout, beside the stable version; and whether any of them is fed. */
@Controller('v1/pipelines/:pipeline')
export class ArmsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('arms', {
    summary: 'Which versions new records get, and their shares',
    access: 'viewer',
    answers: Arms,
    etag: true,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Res({ passthrough: true }) response: Response) {
    await findPipeline(this.store, pipeline);
    return answered((await this.store.arms.arms(pipeline))!, response);
  }

  @Put('arms', {
    summary: 'Set candidate and holdout: no batch is opened by the old shares after the answer; what is under way ends on its version',
    access: 'operator',
    answers: Arms,
    etag: true,
    idempotent: 'kept',
    problems: WRITES,
  })
  async set(
    @Param('pipeline') pipeline: string,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetArms }) { candidate, holdout, reason }: z.output<typeof SetArms>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    await findPipeline(this.store, pipeline);
    for (const [arm, wanted] of Object.entries({ candidate, holdout })) await this.mustExist(pipeline, arm, wanted?.version);
    const arms = await this.store.arms.setArms({
      pipeline,
      ...(candidate && { candidate: inBuckets(candidate) }),
      ...(holdout && { holdout: inBuckets(holdout) }),
      ...(revision !== undefined && { revision }),
      by: by(reason),
    });
    return answered(arms, response);
  }

  @Put('feeding', {
    summary: 'Pause or resume feeding: while it is paused records are accepted and wait, and what is under way goes on',
    access: 'operator',
    answers: Arms,
    etag: true,
    idempotent: 'kept',
    problems: WRITES,
  })
  async setFeeding(
    @Param('pipeline') pipeline: string,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetFeeding }) { paused, reason }: z.output<typeof SetFeeding>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    await findPipeline(this.store, pipeline);
    const arms = await this.store.arms.setFeeding({ pipeline, paused, ...(revision !== undefined && { revision }), by: by(reason) });
    return answered(arms, response);
  }

  private async mustExist(pipeline: string, arm: string, version: string | undefined): Promise<void> {
    if (version === undefined || (await this.store.definitions.version(pipeline, version)) !== undefined) return;
    const message = `${pipeline} has no version ${version}`;
    throw new ProblemError('INVALID_BODY', `${message}.`, [{ pointer: `/${arm}/version`, message }]);
  }
}

const inBuckets = ({ version, share }: { version: string; share: number }) => ({ version, share: Math.floor(share * BUCKETS + 1e-9) });
const ofOne = ({ version, share }: { version: string; share: number }) => ({ version, share: share / BUCKETS });

function answered({ candidate, control, holdout, ...arms }: ArmsRow, response: Response) {
  response.setHeader('ETag', etagOf(arms.revision));
  return {
    ...arms,
    ...(candidate && { candidate: ofOne(candidate) }),
    ...(control && { control: ofOne(control) }),
    ...(holdout && { holdout: ofOne(holdout) }),
  };
}
