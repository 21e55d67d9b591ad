import { Controller, Inject, Param, Query } from '@nestjs/common';
import { ScopeQuery, Why } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { type Executions, EXECUTIONS, STORE } from '../ports.js';
import { findRecord } from '../records/lookup.js';
import { whyEnded, whyRunning, whyWaiting } from './why.js';

@Controller('v1/pipelines/:pipeline/records/:key/why')
export class WhyController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(EXECUTIONS) private readonly executions: Executions,
  ) {}

  @Get('', {
    summary: 'Why the record has no outcome yet: which queue, which limit, since when',
    note: 'From the rows of Postgres; what the execution itself says is added when Temporal answers within a second.',
    access: 'viewer',
    answers: Why,
    problems: ['PIPELINE_UNKNOWN', 'RECORD_UNKNOWN'],
  })
  async why(
    @Param('pipeline') pipeline: string,
    @Param('key') key: string,
    @Query({ schema: ScopeQuery }) { scope }: z.output<typeof ScopeQuery>,
  ): Promise<z.input<typeof Why> | object> {
    const record = await findRecord(this.store, pipeline, scope, key);
    if (record.state === 'waiting') return whyWaiting(this.store, pipeline, record);
    if (record.state === 'running') return whyRunning(this.store, this.executions, pipeline, record);
    return whyEnded(record);
  }
}
