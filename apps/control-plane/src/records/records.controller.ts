import { Controller, Inject, Param, Query } from '@nestjs/common';
import { RecordOutcome, RecordPage, RecordQuery, RecordsQuery, ScopeDigest, ScopeQuery } from '@autoflow/client/schemas';
import { Get, pageOf, ProblemError, SensitiveFields, type Show, type Showing, Shown } from '@autoflow/http';
import type { RecordRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

@Controller('v1/pipelines/:pipeline')
export class RecordsController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(SensitiveFields) private readonly fields: SensitiveFields,
  ) {}

  @Get('records', {
    summary: 'Records with their current outcomes, by scope and key',
    access: 'viewer',
    answers: RecordPage,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async list(
    @Param('pipeline') pipeline: string,
    @Query({ schema: RecordsQuery }) { scope, state, limit, cursor, reveal }: z.output<typeof RecordsQuery>,
    @Shown() showing: Showing,
  ) {
    const show = await this.fields.shown(showing, reveal, { pipeline, what: 'records' });
    await findPipeline(this.store, pipeline);
    const rows = await this.store.ledger.records({
      pipeline,
      limit,
      ...(scope !== undefined && { scope }),
      ...(state !== undefined && { state }),
      ...(cursor !== undefined && { after: cursor }),
    });
    const items = await Promise.all(rows.map((row) => presented(row, show)));
    return pageOf(
      items,
      limit,
      (row) => row,
      (row) => (scope === undefined ? `${row.scope}/${row.key}` : row.key),
    );
  }

  @Get('records/:key', {
    summary: 'One record by key',
    access: 'viewer',
    answers: RecordOutcome,
    problems: ['PIPELINE_UNKNOWN', 'RECORD_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Param('key') key: string,
    @Query({ schema: RecordQuery }) { scope, reveal }: z.output<typeof RecordQuery>,
    @Shown() showing: Showing,
  ) {
    const show = await this.fields.shown(showing, reveal, { pipeline, what: `record ${key}` });
    await findPipeline(this.store, pipeline);
    const row = await this.store.ledger.record(pipeline, scope, key);
    if (row === undefined)
      throw new ProblemError('RECORD_UNKNOWN', `${pipeline} has no record ${JSON.stringify(key)} in the scope ${scope}.`);
    return presented(row, show);
  }

  @Get('digest', {
    summary: 'SHA-256 over all outcomes of a scope: equal digests mean equal outcomes',
    access: 'viewer',
    answers: ScopeDigest,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async digest(@Param('pipeline') pipeline: string, @Query({ schema: ScopeQuery }) { scope }: z.output<typeof ScopeQuery>) {
    await findPipeline(this.store, pipeline);
    return { scope, ...(await this.store.ledger.outcomeDigest(pipeline, scope)) };
  }
}

async function presented({ pipeline, ...row }: RecordRow, show: Show) {
  return { ...row, ...(row.output !== undefined && { output: await show(pipeline, row.release, row.output) }) };
}
