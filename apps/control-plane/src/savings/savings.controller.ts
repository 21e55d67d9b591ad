import { Controller, Inject, Param, Query } from '@nestjs/common';
import { Savings, SavingsQuery } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { ledgerOf } from './ledger.js';

const DEFAULT_SINCE_MS = 30 * 86_400_000;

@Controller('v1/pipelines/:pipeline/savings')
export class SavingsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', {
    summary:
      'What versions saved or lost against their holdout, per day and together, with intervals; exploration and optimizations charged',
    access: 'viewer',
    answers: Savings,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(
    @Param('pipeline') pipeline: string,
    @Query({ schema: SavingsQuery }) { since = DEFAULT_SINCE_MS }: z.output<typeof SavingsQuery>,
  ) {
    await findPipeline(this.store, pipeline);
    const to = await this.store.comparisons.clock();
    return { pipeline, to: new Date(to), ...(await ledgerOf(this.store, pipeline, to - since, to)) };
  }
}
