import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { AccessGuard, LOG, ProblemFilter, SENSITIVE_STORE, SensitiveFields, TOKENS } from '@autoflow/http';
import { Backlog } from './admission/backlog.js';
import { Intake } from './admission/intake.js';
import type { Outcomes } from './admission/outcomes.js';
import { PipelineSpecs } from './admission/pipelines.js';
import { cachedTokens } from './cached-tokens.js';
import { HealthController } from './health/health.controller.js';
import type { Counts } from './metrics/counts.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { COUNTS, EXECUTIONS, INTAKE, LIMITS, type Limits, OUTCOMES, type Ports, STORE } from './ports.js';
import { RecordsController } from './records/records.controller.js';
import { SubmitController } from './records/submit.controller.js';
import { WhyController } from './why/why.controller.js';

@Module({})
export class AppModule {
  static over({ store, executions, log }: Ports, outcomes: Outcomes, limits: Limits, counts: Counts): DynamicModule {
    return {
      module: AppModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [SubmitController, RecordsController, WhyController, HealthController, MetricsController],
      providers: [
        { provide: STORE, useValue: store },
        { provide: EXECUTIONS, useValue: executions },
        { provide: OUTCOMES, useValue: outcomes },
        { provide: LIMITS, useValue: limits },
        { provide: COUNTS, useValue: counts },
        { provide: INTAKE, useValue: new Intake(store, new PipelineSpecs(store), new Backlog(store, limits, counts), counts) },
        { provide: LOG, useValue: log },
        { provide: TOKENS, useValue: cachedTokens(store.access) },
        { provide: SENSITIVE_STORE, useValue: store },
        SensitiveFields,
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
    };
  }
}
