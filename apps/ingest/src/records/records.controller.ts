import { Controller, Inject, Param, Query } from '@nestjs/common';
import {
  Attempts,
  CancelQuery,
  IngestRecord,
  IngestRecordPage,
  IngestRecordsQuery,
  RecordQuery,
  ScopeQuery,
} from '@autoflow/client/schemas';
import { type By, Caller, Get, pageOf, Post, ProblemError, SensitiveFields, type Show, type Showing, Shown } from '@autoflow/http';
import type { Actor, InvocationRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import { type Executions, EXECUTIONS, STORE } from '../ports.js';
import { findPipeline, findRecord, type Found } from './lookup.js';
import { listRecords } from './list.js';

type Scope = z.output<typeof ScopeQuery>;
type Of = { readonly scope: string; readonly key: string };
const MOST_ATTEMPTS = 1_000;

@Controller('v1/pipelines/:pipeline/records')
export class RecordsController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(EXECUTIONS) private readonly executions: Executions,
    @Inject(SensitiveFields) private readonly fields: SensitiveFields,
  ) {}

  @Get('', {
    summary: 'Records of a scope with their states, by key',
    access: 'viewer',
    answers: IngestRecordPage,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async list(
    @Param('pipeline') pipeline: string,
    @Query({ schema: IngestRecordsQuery }) { state, limit, cursor, reveal, ...which }: z.output<typeof IngestRecordsQuery>,
    @Shown() showing: Showing,
  ) {
    const show = await this.fields.shown(showing, reveal, { pipeline, what: 'records' });
    await findPipeline(this.store, pipeline);
    const filter = { pipeline, ...which, limit, ...(cursor !== undefined && { after: cursor }) };
    const rows = await listRecords(this.store, filter, state);
    const items = await Promise.all(rows.map((row) => presented(pipeline, row, show)));
    return pageOf(
      items,
      limit,
      (row) => row,
      ({ key }) => key,
    );
  }

  @Get(':key', {
    summary: 'One record: its state, and what came out',
    access: 'viewer',
    answers: IngestRecord,
    problems: ['PIPELINE_UNKNOWN', 'RECORD_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Param('key') key: string,
    @Query({ schema: RecordQuery }) { scope, reveal }: z.output<typeof RecordQuery>,
    @Shown() showing: Showing,
  ) {
    const show = await this.fields.shown(showing, reveal, { pipeline, what: `record ${key}` });
    return presented(pipeline, await findRecord(this.store, pipeline, scope, key), show);
  }

  @Get(':key/attempts', {
    summary: 'Invocations that carried the record, newest first',
    note: 'An invocation carries a whole batch, or the part of it that it was dispatched for. They are written a moment after they end.',
    access: 'viewer',
    answers: Attempts,
    problems: ['PIPELINE_UNKNOWN', 'RECORD_UNKNOWN'],
  })
  async attempts(@Param('pipeline') pipeline: string, @Param('key') key: string, @Query({ schema: ScopeQuery }) { scope }: Scope) {
    const { batchId } = await findRecord(this.store, pipeline, scope, key);
    const batch = batchId === undefined ? undefined : await this.store.ledger.batch(batchId);
    if (batch === undefined) return { items: [] };
    const rows = await this.store.metrics.invocations({ pipeline, executionId: batch.executionId, limit: MOST_ATTEMPTS });
    return { items: rows.map(attemptOf) };
  }

  @Post(':key\\:cancel', {
    summary: 'Takes a record back: one that waits is cancelled at once, one that runs only if it runs alone',
    note: 'The answer is the record as it is then: one that runs alone is cancelled a moment later. Who asked, and why, is in the audit log.',
    access: 'operator',
    answers: IngestRecord,
    problems: ['PIPELINE_UNKNOWN', 'RECORD_UNKNOWN', 'RECORD_RUNNING', 'RECORD_ENDED', 'TEMPORAL_UNAVAILABLE'],
  })
  async cancel(
    @Param('pipeline') pipeline: string,
    @Param('key') key: string,
    @Query({ schema: CancelQuery }) { scope, reason = 'cancelled over the API' }: z.output<typeof CancelQuery>,
    @Shown() showing: Showing,
    @Caller() by: By,
  ) {
    const show = await this.fields.shown(showing, false, { pipeline, what: `record ${key}` });
    await findPipeline(this.store, pipeline);
    await this.store.inbox.cancel(pipeline, key, by(reason), scope);
    const record = await findRecord(this.store, pipeline, scope, key);
    if (record.state === 'cancelled') return record;
    if (record.state !== 'running' || record.batchId === undefined)
      throw new ProblemError('RECORD_ENDED', `${JSON.stringify(key)} is ${record.state}.`);
    await this.cancelAlone(pipeline, record.batchId, { scope, key }, by(reason));
    // It may have been completed before it could be cancelled.
    return presented(pipeline, await findRecord(this.store, pipeline, scope, key), show);
  }

  private async cancelAlone(pipeline: string, batchId: string, { scope, key }: Of, by: Actor): Promise<void> {
    const batch = await this.store.ledger.batch(batchId);
    const records = batch?.ref.counts.records ?? 0;
    if (batch === undefined || records !== 1)
      throw new ProblemError(
        'RECORD_RUNNING',
        `${JSON.stringify(key)} runs in the execution ${batch?.executionId ?? 'that is gone'}, together with ${records - 1} others.`,
      );
    await this.store.access.note({ action: 'record.cancel', pipeline, after: { scope, key, execution: batch.executionId } }, by);
    if (!(await this.executions.cancel(batch.executionId)))
      throw new ProblemError('TEMPORAL_UNAVAILABLE', `The execution ${batch.executionId} could not be asked to end.`);
  }
}

/** As the caller may see it. */
async function presented(pipeline: string, record: Found, show: Show): Promise<Found> {
  const { output, release } = record;
  return output === undefined || release === undefined ? record : { ...record, output: await show(pipeline, release, output) };
}

function attemptOf(row: InvocationRow) {
  const { stage, attempt, executionId, version, host, startedAt, queueMs, durationMs, memoryMb, recordsIn: records, outcome, error } = row;
  return {
    stage,
    attempt,
    executionId,
    version,
    host,
    startedAt,
    queueMs,
    durationMs,
    memoryMb,
    records,
    outcome,
    ...(error !== undefined && { error }),
  };
}
