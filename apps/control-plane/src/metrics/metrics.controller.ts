import { Controller, Inject, Param, Query } from '@nestjs/common';
import { MetricsReport, MetricsWindow } from '@autoflow/client/schemas';
import { Get, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

const DEFAULT_SINCE_MS = 3_600_000;

@Controller('v1/pipelines/:pipeline/metrics')
export class MetricsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', {
    summary: 'Throughput, latency, errors, cost and utilisation over a window (default: the last hour), by version, stage or function',
    access: 'viewer',
    answers: MetricsReport,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async query(@Param('pipeline') pipeline: string, @Query({ schema: MetricsWindow }) query: z.output<typeof MetricsWindow>) {
    await findPipeline(this.store, pipeline);
    const { by, version, scope } = query;
    const { from, to } = windowOf(query, new Date());
    const rows = await this.store.metrics.metrics({
      pipeline,
      by,
      from,
      to,
      ...(version !== undefined && { version }),
      ...(scope !== undefined && { scope }),
    });
    return { pipeline, by, from, to, rows };
  }
}

function windowOf({ from, to, since = DEFAULT_SINCE_MS }: z.output<typeof MetricsWindow>, now: Date): { from: Date; to: Date } {
  const end = to === undefined ? now : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - since) : new Date(from);
  if (start < end) return { from: start, to: end };
  throw new ProblemError('INVALID_PARAMETER', `The window ends at ${end.toISOString()}, before it begins at ${start.toISOString()}.`, [
    { parameter: 'from', message: 'must be before to' },
  ]);
}
