import { Controller, Inject, Param, Query } from '@nestjs/common';
import { DeadLetter, DeadLetterPage, DeadLetterQuery, DeadLettersQuery } from '@autoflow/client/schemas';
import { Get, pageOf, ProblemError } from '@autoflow/http';
import type { DeadLetterRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { type Showing, Shown } from '../sensitive/shown.js';
import { SensitiveFields } from '../sensitive/sensitive-fields.js';

@Controller('v1/pipelines/:pipeline/dead-letters')
export class DeadLettersController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(SensitiveFields) private readonly fields: SensitiveFields,
  ) {}

  @Get('', {
    summary: 'Records that died, newest first, with their errors',
    access: 'viewer',
    answers: DeadLetterPage,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async list(
    @Param('pipeline') pipeline: string,
    @Query({ schema: DeadLettersQuery }) { scope, code, limit, cursor }: z.output<typeof DeadLettersQuery>,
  ) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.ledger.deadLetters({
      pipeline,
      limit,
      ...(scope !== undefined && { scope }),
      ...(code !== undefined && { code }),
      ...(cursor !== undefined && { after: cursor }),
    });
    return pageOf(rows, limit, summary, ({ id }) => id);
  }

  @Get(':letter', {
    summary: 'One dead letter with its input record',
    access: 'viewer',
    answers: DeadLetter,
    problems: ['PIPELINE_UNKNOWN', 'DEAD_LETTER_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Param('letter') id: string,
    @Query({ schema: DeadLetterQuery }) { reveal }: z.output<typeof DeadLetterQuery>,
    @Shown() showing: Showing,
  ) {
    const show = await this.fields.shown(showing, reveal, { pipeline, what: `dead letter ${id}` });
    await findPipeline(this.store, pipeline);
    const row = await this.store.ledger.deadLetter(pipeline, id);
    if (row === undefined) throw new ProblemError('DEAD_LETTER_UNKNOWN', `${pipeline} has no dead letter ${JSON.stringify(id)}.`);
    return { ...summary(row), record: await show(pipeline, row.release, row.record) };
  }
}

function summary({ pipeline: _, record: _record, ...row }: DeadLetterRow) {
  return row;
}
