import { Controller, Inject } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Health } from '@autoflow/client/schemas';
import { Get, notReady } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import { STORE } from '../ports.js';

const PATIENCE_MS = 3_000;

@Controller('v1/health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly checks: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(STORE) private readonly store: Store,
  ) {}

  @Get('live', { summary: 'The process answers', access: 'public', answers: Health })
  live() {
    return { status: 'ok' };
  }

  @Get('ready', { summary: 'Postgres answers: records are accepted', access: 'public', answers: Health, problems: ['NOT_READY'] })
  async ready() {
    const postgres = () =>
      this.indicators
        .check('postgres')
        .attempt(() => this.store.ping())
        .withTimeout(PATIENCE_MS);
    const { status, details } = await this.checks.check([postgres]).catch(notReady);
    return { status, details };
  }
}
