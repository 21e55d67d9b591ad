import { Controller, Inject, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { SkipThrottle } from '@nestjs/throttler';
import { Health } from '@autoflow/client/schemas';
import { Get, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import { BACKFILL_RUNS, type BackfillRuns, STORE } from '../ports.js';

const PATIENCE_MS = 3_000;

@Controller('v1/health')
@SkipThrottle()
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly checks: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(STORE) private readonly store: Store,
    @Inject(BACKFILL_RUNS) private readonly runs: BackfillRuns,
  ) {}

  @Get('live', { summary: 'The process answers', access: 'public', answers: Health })
  live() {
    return { status: 'ok' };
  }

  @Get('ready', { summary: 'Postgres and Temporal answer the control plane', access: 'public', answers: Health, problems: ['NOT_READY'] })
  async ready() {
    const { status, details } = await this.checks
      .check([() => this.asked('postgres', () => this.store.ping()), () => this.asked('temporal', () => this.runs.ping())])
      .catch(asProblem);
    return { status, details };
  }

  private asked(name: string, ping: () => Promise<void>) {
    return this.indicators.check(name).attempt(ping).withTimeout(PATIENCE_MS);
  }
}

function asProblem(error: unknown): never {
  if (!(error instanceof ServiceUnavailableException)) throw error;
  const { error: failed = {} } = error.getResponse() as { error?: Record<string, { message?: string }> };
  const names = Object.keys(failed);
  const errors = names.map((name) => ({ parameter: name, message: failed[name]?.message ?? 'does not answer' }));
  throw new ProblemError('NOT_READY', `No answer from ${names.join(' and ')}.`, errors);
}
