import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { NewScorer, Scorer, ScorerList, ScorersQuery } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, pageOf, Post } from '@autoflow/http';
import type { ScorerRow, Store } from '@autoflow/store';
import type { RetrainingReport, RetrainingRequest } from '@autoflow/topology';
import { RETRAINING_WORKFLOW, retrainingWorkflowId } from '@autoflow/workflows';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { QUESTION_RUNS, type QuestionRuns, STORE } from '../ports.js';
import { begin, newId, progressOf, type QuestionKind } from '../temporal/asked.js';

const RETRAINING: QuestionKind = {
  ...{ prefix: 'sc', name: 'scorer', unknown: 'SCORER_UNKNOWN' },
  ...{ workflow: RETRAINING_WORKFLOW, workflowId: retrainingWorkflowId },
};

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
    status: 201,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', 'TEMPORAL_UNAVAILABLE', ...BODY_PROBLEMS],
  })
  async start(@Param('pipeline') pipeline: string, @Body({ schema: NewScorer }) body: z.output<typeof NewScorer>, @Caller() by: By) {
    await findPipeline(this.store, pipeline);
    const { since, stretch, seed, reason } = body;
    const settings = {
      ...(since !== undefined && { sinceMs: since }),
      ...(stretch !== undefined && { stretchMs: stretch }),
      ...(seed !== undefined && { seed }),
    };
    const request: RetrainingRequest = { id: newId(RETRAINING), pipeline, ...settings };
    await this.store.scorers.asked({ id: request.id, pipeline, request: settings }, by(reason ?? 'asked for over the API'));
    const { askedAt, ...begun } = await begin(this.runs, RETRAINING, request);
    return { ...begun, createdAt: askedAt };
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
    const { askedAt: createdAt, answeredAt: _, ...found } = await progressOf<RetrainingReport>(this.runs, RETRAINING, pipeline, id);
    if (found.state !== 'completed') return { ...found, createdAt };
    // Its row was written before it answered: it may have come since.
    const written = await this.store.scorers.get(id);
    if (written !== undefined) return present(written);
    const { answer, ...one } = found;
    return { ...one, createdAt, kept: false, reason: `${answer.reason} But its row is gone.` };
  }
}

const present = (row: ScorerRow) => ({ ...row, state: 'completed' });
