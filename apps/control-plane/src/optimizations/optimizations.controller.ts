import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import {
  CancelOptimization,
  Optimization,
  OptimizationDetail,
  OptimizationList,
  OptimizationQuestion,
  OptimizationsQuery,
} from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, Post, type ProblemCode } from '@autoflow/http';
import type { z } from 'zod';
import { OptimizationsService } from './optimizations.service.js';

const BODY: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', 'TEMPORAL_UNAVAILABLE', ...BODY_PROBLEMS];

@Controller('v1/pipelines/:pipeline/optimizations')
export class OptimizationsController {
  constructor(@Inject(OptimizationsService) private readonly optimizations: OptimizationsService) {}

  @Post('', {
    summary: 'Search for a better topology than the stable one, and register it unless it is a dry run; answered at once',
    note: 'What is registered is rolled out as far as the autonomy of the pipeline allows. One at a time of each pipeline.',
    access: 'operator',
    answers: Optimization,
    status: 202,
    idempotent: 'kept',
    problems: [...BODY, 'OPTIMIZATION_RUNNING'],
  })
  start(
    @Param('pipeline') pipeline: string,
    @Body({ schema: OptimizationQuestion }) question: z.output<typeof OptimizationQuestion>,
    @Caller() by: By,
  ) {
    return this.optimizations.start(pipeline, question, by);
  }

  @Get('', { summary: 'Optimizations, newest first', access: 'viewer', answers: OptimizationList, problems: ['PIPELINE_UNKNOWN'] })
  list(@Param('pipeline') pipeline: string, @Query({ schema: OptimizationsQuery }) page: z.output<typeof OptimizationsQuery>) {
    return this.optimizations.list(pipeline, page);
  }

  @Get(':optimization', {
    summary: 'One optimization: how far it is, what it has found, and the reason of every decision',
    access: 'viewer',
    answers: OptimizationDetail,
    problems: ['PIPELINE_UNKNOWN', 'OPTIMIZATION_UNKNOWN'],
  })
  show(@Param('pipeline') pipeline: string, @Param('optimization') id: string) {
    return this.optimizations.show(pipeline, id);
  }

  @Post(':optimization\\:cancel', {
    summary: 'End it; what it has registered stays',
    access: 'operator',
    answers: Optimization,
    status: 202,
    idempotent: 'kept',
    problems: [...BODY, 'OPTIMIZATION_UNKNOWN'],
  })
  cancel(
    @Param('pipeline') pipeline: string,
    @Param('optimization') id: string,
    @Body({ schema: CancelOptimization }) { reason }: z.output<typeof CancelOptimization>,
    @Caller() by: By,
  ) {
    return this.optimizations.cancel(pipeline, id, by(reason ?? 'cancelled over the API'));
  }
}
