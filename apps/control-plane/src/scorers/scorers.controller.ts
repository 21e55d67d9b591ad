import { randomBytes } from 'node:crypto';
import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { NewScorer, Scorer, ScorerList, ScorersQuery } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, Get, pageOf, Post, ProblemError } from '@autoflow/http';
import type { ScorerRow, Store } from '@autoflow/store';
import type { RetrainingRequest } from '@autoflow/topology';
import { RETRAINING_WORKFLOW, retrainingWorkflowId } from '@autoflow/workflows';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { QUESTION_RUNS, type QuestionRuns, STORE } from '../ports.js';

@Controller('v1/pipelines/:pipeline/scorers')
export class ScorersController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(QUESTION_RUNS) private readonly runs: QuestionRuns,
  ) {}

  @Post('', {
    summary: "Train the scorer of topologies further on the pipeline's own history; answered at once",
    note: 'It is used for this pipeline only if it is nearer, on versions that it has not learned from, than the one before.',
    access: 'operator',
    answers: Scorer,
    status: 202,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', 'TEMPORAL_UNAVAILABLE', ...BODY_PROBLEMS],
  })
  async start(@Param('pipeline') pipeline: string, @Body({ schema: NewScorer }) body: z.output<typeof NewScorer>) {
    await findPipeline(this.store, pipeline);
    const { since, stretch, seed } = body;
    const id = `sc-${randomBytes(6).toString('hex')}`;
    const request: RetrainingRequest = {
      id,
      pipeline,
      ...(since !== undefined && { sinceMs: since }),
      ...(stretch !== undefined && { stretchMs: stretch }),
      ...(seed !== undefined && { seed }),
    };
    await this.runs.start(RETRAINING_WORKFLOW, retrainingWorkflowId(pipeline, id), request);
    return { id, pipeline, state: 'running', createdAt: new Date() };
  }

  @Get('', {
    summary: 'Retrained scorers, newest first, those that were no better among them',
    access: 'viewer',
    answers: ScorerList,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async list(@Param('pipeline') pipeline: string, @Query({ schema: ScorersQuery }) { limit, cursor }: z.output<typeof ScorersQuery>) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.scorers.page(pipeline, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(rows, limit, present, ({ id }) => id);
  }

  @Get(':scorer', {
    summary: 'One retrained scorer: whether it is used, and why; or how far its training is',
    access: 'viewer',
    answers: Scorer,
    problems: ['PIPELINE_UNKNOWN', 'SCORER_UNKNOWN', 'TEMPORAL_UNAVAILABLE'],
  })
  async show(@Param('pipeline') pipeline: string, @Param('scorer') id: string) {
    await findPipeline(this.store, pipeline);
    const row = await this.store.scorers.get(id);
    if (row?.pipeline === pipeline) return present(row);
    const run = await this.runs.find(retrainingWorkflowId(pipeline, id));
    if (run === undefined) throw new ProblemError('SCORER_UNKNOWN', `${pipeline} has no scorer ${JSON.stringify(id)}.`);
    const begun = { id, pipeline, createdAt: run.askedAt };
    if (run.state === 'failed') return { ...begun, state: 'failed', failure: run.failure };
    return { ...begun, state: 'running' };
  }
}

const present = (row: ScorerRow) => ({ ...row, state: 'completed' });
