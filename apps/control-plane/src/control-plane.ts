import { StageAllocation, StageEnvelope } from '@autoflow/client/schemas';
import { type DocumentOptions, serve, type Service } from '@autoflow/http';
import type { Log, Store } from '@autoflow/store';
import type { Client } from '@temporalio/client';
import { AppModule } from './app.module.js';
import { backfillRuns } from './temporal/backfill-runs.js';
import { rolloutRuns } from './temporal/rollout-runs.js';
import { optimizationRuns } from './temporal/optimization-runs.js';
import { questionRuns } from './temporal/question-runs.js';

export interface ControlPlaneOptions {
  /** Migrated. The caller closes it. */
  readonly store: Store;
  /** The caller closes its connection; it need not be connected yet. */
  readonly temporal: Client;
  /** Default `127.0.0.1`: who wants the API on a network says so, and puts TLS before it. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** Of a release with its source map; default 32 MiB. */
  readonly releaseLimitBytes?: number;
  /** Per address; default 1,200. */
  readonly requestsPerMinute?: number;
  readonly log?: Log;
}

export type ControlPlane = Service;

/** The admin API: resolves when it listens, rejects when the port is taken. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const {
    store,
    temporal,
    host = '127.0.0.1',
    port = 0,
    bodyLimitBytes = 1024 * 1024,
    releaseLimitBytes = 32 * 1024 * 1024,
    requestsPerMinute = 1_200,
    log = () => undefined,
  } = options;
  const ports = {
    store,
    backfillRuns: backfillRuns(temporal),
    optimizationRuns: optimizationRuns(temporal),
    rolloutRuns: rolloutRuns(temporal),
    questionRuns: questionRuns(temporal),
    log,
  };
  return serve(AppModule.over(ports, requestsPerMinute), {
    host,
    port,
    bodyLimitBytes,
    largeBodies: { path: '/v1/releases/', limitBytes: releaseLimitBytes },
    document: DOCUMENT,
    log,
  });
}

const DOCUMENT: DocumentOptions = {
  title: 'AutoFlow',
  description: `Pipelines on Temporal: what runs, what it may use, and what came out.

A \`PUT\` takes \`If-Match\` with the ETag that was read, and a \`reason\`. Pausing, resuming and cancelling a backfill takes a \`reason\` if
there is one, and no \`If-Match\`: it may be repeated. Every error is \`application/problem+json\` (RFC 9457)
with a stable \`code\`, a \`remedy\`, and whether it is \`retryable\`.`,
  components: [StageAllocation, StageEnvelope],
};
