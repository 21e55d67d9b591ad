import { Body, Controller, HttpStatus, Inject, Param, Query, Res } from '@nestjs/common';
import { Graph, GraphQuery, Pipeline, PipelineList, Registered, RegisterPipeline } from '@autoflow/client/schemas';
import { type By, Caller, Get, Post } from '@autoflow/http';
import type { Response } from 'express';
import type { z } from 'zod';
import { PipelinesService } from './pipelines.service.js';

@Controller('v1/pipelines')
export class PipelinesController {
  constructor(@Inject(PipelinesService) private readonly pipelines: PipelinesService) {}

  @Post('', {
    summary: 'Register a pipeline, or a further release of it. 201 when its version is new, 200 when it was there',
    access: 'admin',
    answers: Registered,
    status: 201,
    problems: [
      'MALFORMED_JSON',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INVALID_BODY',
      'SPEC_INVALID',
      'VERSION_ILLEGAL',
      'ENVELOPE_INVALID',
      'ALLOCATION_OUT_OF_BOUNDS',
    ],
  })
  async register(
    @Body({ schema: RegisterPipeline }) body: z.output<typeof RegisterPipeline>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    const registered = await this.pipelines.register(body, by);
    if (!registered.created) response.status(HttpStatus.OK);
    return registered;
  }

  @Get('', { summary: 'All pipelines with their stable versions', access: 'viewer', answers: PipelineList })
  list() {
    return this.pipelines.list();
  }

  @Get(':pipeline', {
    summary: 'One pipeline with the wiring of its stable release',
    access: 'viewer',
    answers: Pipeline,
    problems: ['PIPELINE_UNKNOWN'],
  })
  show(@Param('pipeline') pipeline: string) {
    return this.pipelines.show(pipeline);
  }

  @Get(':pipeline/graph', {
    summary: 'The graph as written and as run, also as Mermaid; of the stable version unless another is named',
    access: 'viewer',
    answers: Graph,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN'],
  })
  graph(@Param('pipeline') pipeline: string, @Query({ schema: GraphQuery }) { version }: z.output<typeof GraphQuery>) {
    return this.pipelines.graph(pipeline, version);
  }
}
