import { Controller, Inject, Param, Query } from '@nestjs/common';
import { ScopeDigest, ScopeQuery } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

/** Of all outcomes together; the records themselves are ingest's to answer. */
@Controller('v1/pipelines/:pipeline')
export class DigestController {
  constructor(@Inject(STORE) private readonly store: Store) {}

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
