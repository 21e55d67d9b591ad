import { Body, Controller, HttpStatus, Inject, Param, Query, Res } from '@nestjs/common';
import { Graph, GraphQuery, Pipeline, PipelineList, PipelinesQuery, Registered, RegisterPipeline } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, etagOf, Get, Post } from '@autoflow/http';
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
    maybeThere: true,
    idempotent: 'kept',
    problems: [...BODY_PROBLEMS, 'SPEC_INVALID', 'VERSION_ILLEGAL', 'ENVELOPE_INVALID', 'ALLOCATION_OUT_OF_BOUNDS'],
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

  @Get('', { summary: 'All pipelines with their stable versions, by name', access: 'viewer', answers: PipelineList })
  list(@Query({ schema: PipelinesQuery }) page: z.output<typeof PipelinesQuery>) {
    return this.pipelines.list(page);
  }

  @Get(':pipeline', {
    summary: 'One pipeline with the wiring of its stable release and its settings, whose revision is the ETag',
    access: 'viewer',
    answers: Pipeline,
    etag: true,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') name: string, @Res({ passthrough: true }) response: Response) {
    const pipeline = await this.pipelines.show(name);
    response.setHeader('ETag', etagOf(pipeline.settings.revision));
    return pipeline;
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
