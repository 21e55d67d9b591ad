import { Controller, Inject } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { SkipThrottle } from '@nestjs/throttler';
import { Health } from '@autoflow/client/schemas';
import { Get, notReady } from '@autoflow/http';
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
      .catch(notReady);
    return { status, details };
  }

  private asked(name: string, ping: () => Promise<void>) {
    return this.indicators.check(name).attempt(ping).withTimeout(PATIENCE_MS);
  }
}
