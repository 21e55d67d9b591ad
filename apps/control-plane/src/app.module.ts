import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { AccessGuard, IdempotencyInterceptor, KEYS, LOG, ProblemFilter, SENSITIVE_STORE, SensitiveFields, TOKENS } from '@autoflow/http';
import { AllocationsController } from './allocations/allocations.controller.js';
import { AllocationsService } from './allocations/allocations.service.js';
import { ControlController } from './allocations/control.controller.js';
import { ArmsController } from './arms/arms.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { BackfillsController } from './backfills/backfills.controller.js';
import { BackfillsService } from './backfills/backfills.service.js';
import { CalibrationsController } from './calibrations/calibrations.controller.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { EventFeed } from './events/event-feed.js';
import { EventsController } from './events/events.controller.js';
import { DeadLettersService } from './dead-letters/dead-letters.service.js';
import { HealthController } from './health/health.controller.js';
import { HostsController } from './hosts/hosts.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { OptimizationsController } from './optimizations/optimizations.controller.js';
import { OptimizationsService } from './optimizations/optimizations.service.js';
import { PipelinesController } from './pipelines/pipelines.controller.js';
import { PipelinesService } from './pipelines/pipelines.service.js';
import { ReleasesController } from './pipelines/releases.controller.js';
import { StableController } from './pipelines/stable.controller.js';
import { BACKFILL_RUNS, OPTIMIZATION_RUNS, type Ports, QUESTION_RUNS, ROLLOUT_RUNS, STORE } from './ports.js';
import { PrometheusController } from './prometheus/prometheus.controller.js';
import { DigestController } from './records/digest.controller.js';
import { BundlesController } from './releases/bundles.controller.js';
import { DeployService } from './releases/deploy.service.js';
import { RolloutsController } from './rollouts/rollouts.controller.js';
import { RolloutsService } from './rollouts/rollouts.service.js';
import { SavingsController } from './savings/savings.controller.js';
import { ScorersController } from './scorers/scorers.controller.js';
import { SettingsController } from './settings/settings.controller.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TrainingsController } from './trainings/trainings.controller.js';
import { VersionsController } from './versions/versions.controller.js';
import { VersionsService } from './versions/versions.service.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WhatIfController } from './what-if/what-if.controller.js';

/** How long the answer of a write is remembered for its Idempotency-Key. */
const KEY_RETENTION_HOURS = 24;

@Module({})
export class AppModule {
  /** Guards run in the order given: who asks too often is refused before the store is asked for a token. */
  static over(ports: Ports, requestsPerMinute: number): DynamicModule {
    return {
      module: AppModule,
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: requestsPerMinute }]), TerminusModule.forRoot({ logger: false })],
      controllers: [
        PipelinesController,
        ReleasesController,
        BundlesController,
        VersionsController,
        StableController,
        ControlController,
        AllocationsController,
        BackfillsController,
        CalibrationsController,
        MetricsController,
        WhatIfController,
        OptimizationsController,
        ScorersController,
        TrainingsController,
        RolloutsController,
        SavingsController,
        DigestController,
        DeadLettersController,
        ArmsController,
        AuditController,
        HostsController,
        TokensController,
        SettingsController,
        HealthController,
        EventsController,
        PrometheusController,
        WebhooksController,
      ],
      providers: [
        { provide: STORE, useValue: ports.store },
        { provide: BACKFILL_RUNS, useValue: ports.backfillRuns },
        { provide: OPTIMIZATION_RUNS, useValue: ports.optimizationRuns },
        { provide: ROLLOUT_RUNS, useValue: ports.rolloutRuns },
        { provide: QUESTION_RUNS, useValue: ports.questionRuns },
        { provide: LOG, useValue: ports.log },
        { provide: TOKENS, useValue: ports.store.access },
        { provide: SENSITIVE_STORE, useValue: ports.store },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useClass: ThrottlerGuard },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: KEYS, useValue: { store: ports.store.idempotency, retentionHours: KEY_RETENTION_HOURS } },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        PipelinesService,
        DeployService,
        VersionsService,
        AllocationsService,
        BackfillsService,
        RolloutsService,
        OptimizationsService,
        EventFeed,
        SensitiveFields,
        DeadLettersService,
      ],
    };
  }
}
