import { Body, Controller, Inject, Param, Query, Res } from '@nestjs/common';
import { AllocationQuery, ClampStage, SetAllocation, SetStageAllocation, VersionAllocation } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, etagOf, Get, IfMatch, type ProblemCode, Put } from '@autoflow/http';
import type { Response } from 'express';
import type { z } from 'zod';
import { AllocationsService } from './allocations.service.js';

type Which = z.output<typeof AllocationQuery>;

const CHANGE: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN', ...BODY_PROBLEMS, 'ALLOCATION_OUT_OF_BOUNDS'];

/** Memory and concurrency per stage: of the stable version unless `?version=` names another. */
@Controller('v1/pipelines/:pipeline/allocations')
export class AllocationsController {
  constructor(@Inject(AllocationsService) private readonly allocations: AllocationsService) {}

  @Get('', {
    summary: 'Desired memory and instances per stage, their bounds, and what the hosts have by now',
    access: 'viewer',
    answers: VersionAllocation,
    etag: true,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Query({ schema: AllocationQuery }) { version }: Which,
    @Res({ passthrough: true }) response: Response,
  ) {
    return answered(await this.allocations.show(pipeline, version), response);
  }

  @Put('', {
    summary: 'Set memory and instances of every stage',
    access: 'operator',
    answers: VersionAllocation,
    etag: true,
    idempotent: 'kept',
    problems: CHANGE,
  })
  async set(
    @Param('pipeline') pipeline: string,
    @Query({ schema: AllocationQuery }) { version }: Which,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetAllocation }) body: z.output<typeof SetAllocation>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    return answered(await this.allocations.set(pipeline, version, body, revision, by), response);
  }

  @Put(':stage', {
    summary: 'Set memory or instances of one stage; the others stay',
    access: 'operator',
    answers: VersionAllocation,
    etag: true,
    idempotent: 'kept',
    problems: [...CHANGE, 'STAGE_UNKNOWN'],
  })
  async setStage(
    @Param('pipeline') pipeline: string,
    @Param('stage') stage: string,
    @Query({ schema: AllocationQuery }) { version }: Which,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetStageAllocation }) body: z.output<typeof SetStageAllocation>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    return answered(await this.allocations.setStage(pipeline, version, stage, body, revision, by), response);
  }

  @Put(':stage/clamp', {
    summary:
      'Bound memory and instances of one stage more narrowly than its envelope, for people and AutoFlow alike; without bounds, no longer',
    note: 'An allocation that is outside is moved to the nearest one inside.',
    access: 'operator',
    answers: VersionAllocation,
    etag: true,
    idempotent: 'kept',
    problems: [...CHANGE, 'STAGE_UNKNOWN', 'CLAMP_INVALID'],
  })
  async clamp(
    @Param('pipeline') pipeline: string,
    @Param('stage') stage: string,
    @Query({ schema: AllocationQuery }) { version }: Which,
    @IfMatch() revision: number | undefined,
    @Body({ schema: ClampStage }) body: z.output<typeof ClampStage>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    return answered(await this.allocations.clamp(pipeline, version, stage, body, revision, by), response);
  }
}

function answered<T extends { readonly revision: number }>(allocation: T, response: Response): T {
  response.setHeader('ETag', etagOf(allocation.revision));
  return allocation;
}
