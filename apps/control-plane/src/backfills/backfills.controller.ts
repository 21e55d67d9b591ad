import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { Backfill, BackfillAction, BackfillList, BackfillOrDryRun, BackfillsQuery, NewBackfill } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, IdempotencyKey, Post, type ProblemCode } from '@autoflow/http';
import type { z } from 'zod';
import { BackfillsService } from './backfills.service.js';

type Action = z.output<typeof BackfillAction>;

const BODY: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', 'TEMPORAL_UNAVAILABLE', ...BODY_PROBLEMS];
const ACTION: readonly ProblemCode[] = [...BODY, 'BACKFILL_UNKNOWN', 'BACKFILL_ENDED'];

@Controller('v1/pipelines/:pipeline/backfills')
export class BackfillsController {
  constructor(@Inject(BackfillsService) private readonly backfills: BackfillsService) {}

  @Post('', {
    summary:
      'Feed a source through executions; records that have an outcome in the scope are skipped. With dryRun: only count and estimate',
    // A source is a file or a secret of the worker: whoever names it, reads it.
    access: 'admin',
    note: 'Its source is read with the rights of the control worker: files inside AUTOFLOW_SOURCES (anywhere, if that is not set), databases of secrets that begin with SOURCE_.',
    answers: BackfillOrDryRun,
    status: 201,
    idempotent: true,
    problems: [...BODY, 'SOURCE_TOO_LONG'],
  })
  start(
    @Param('pipeline') pipeline: string,
    @Body({ schema: NewBackfill }) body: z.output<typeof NewBackfill>,
    @IdempotencyKey() key: string | undefined,
    @Caller() by: By,
  ) {
    return this.backfills.start(pipeline, body, key, by);
  }

  @Get('', { summary: 'Backfills, newest first', access: 'viewer', answers: BackfillList, problems: ['PIPELINE_UNKNOWN'] })
  list(@Param('pipeline') pipeline: string, @Query({ schema: BackfillsQuery }) page: z.output<typeof BackfillsQuery>) {
    return this.backfills.list(pipeline, page);
  }

  @Get(':backfill', {
    summary: 'One backfill with its progress by now',
    access: 'viewer',
    answers: Backfill,
    problems: ['PIPELINE_UNKNOWN', 'BACKFILL_UNKNOWN'],
  })
  show(@Param('pipeline') pipeline: string, @Param('backfill') id: string) {
    return this.backfills.show(pipeline, id);
  }

  @Post(':backfill\\:pause', {
    summary: 'Stop feeding; what is under way ends',
    access: 'operator',
    answers: Backfill,
    idempotent: 'kept',
    problems: ACTION,
  })
  pause(
    @Param('pipeline') pipeline: string,
    @Param('backfill') id: string,
    @Body({ schema: BackfillAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.backfills.pause(pipeline, id, by(reason ?? 'paused over the API'));
  }

  @Post(':backfill\\:resume', {
    summary: 'Feed on from where it stands',
    access: 'operator',
    answers: Backfill,
    idempotent: 'kept',
    problems: ACTION,
  })
  resume(
    @Param('pipeline') pipeline: string,
    @Param('backfill') id: string,
    @Body({ schema: BackfillAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.backfills.resume(pipeline, id, by(reason ?? 'resumed over the API'));
  }

  @Post(':backfill\\:cancel', {
    summary: 'End it, and the executions that it has started',
    access: 'operator',
    answers: Backfill,
    idempotent: 'kept',
    problems: ACTION,
  })
  cancel(
    @Param('pipeline') pipeline: string,
    @Param('backfill') id: string,
    @Body({ schema: BackfillAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.backfills.cancel(pipeline, id, by(reason ?? 'cancelled over the API'));
  }
}
