import { Attempts, SubmitResult } from '@autoflow/client/schemas';
import { type DocumentOptions, serve, type Service } from '@autoflow/http';
import type { Log, Store } from '@autoflow/store';
import type { Client } from '@temporalio/client';
import { Outcomes } from './admission/outcomes.js';
import { AppModule } from './app.module.js';
import { temporalExecutions } from './executions.js';
import { Counts } from './metrics/counts.js';
import { NDJSON } from './records/submit.controller.js';

export interface IngestOptions {
  /** Migrated. The caller closes it. */
  readonly store: Store;
  /** Only asked why a record waits; need not be connected, nor be there at all. The caller closes its connection. */
  readonly temporal: Client;
  /** Default `127.0.0.1`: who wants it on a network says so, and puts TLS before it. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Of JSON bodies; default 8 MiB. */
  readonly bodyLimitBytes?: number;
  /** Of a line of NDJSON; default 1 MiB. */
  readonly lineLimitBytes?: number;
  /** A stream is cut when nothing has passed for so long, either way; default 5 minutes. It has no other bound in time. */
  readonly streamIdleMs?: number;
  /** Records of a pipeline that may wait before more are refused; default 200,000. */
  readonly waitingLimit?: number;
  /** A stream that finds no room waits as long for some before it is ended; default 30 s. */
  readonly patienceMs?: number;
  readonly log?: Log;
}

export type Ingest = Service;

/** The data plane: resolves when it listens, rejects when the port is taken. It needs Postgres, and nothing else to accept records. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { store, temporal, host = '127.0.0.1', port = 0, bodyLimitBytes = 8 * 1024 * 1024 } = options;
  const {
    lineLimitBytes = 1024 * 1024,
    waitingLimit = 200_000,
    patienceMs = 30_000,
    streamIdleMs = 300_000,
    log = () => undefined,
  } = options;
  const outcomes = new Outcomes(store, log);
  const ports = { store, executions: temporalExecutions(temporal), log };
  const counts = new Counts();
  const limits = { lineBytes: lineLimitBytes, waiting: waitingLimit, patienceMs };
  const module = AppModule.over(ports, outcomes, limits, counts);
  const service = await serve(module, {
    host,
    port,
    bodyLimitBytes,
    streams: { types: [NDJSON], idleMs: streamIdleMs },
    document: DOCUMENT,
    answered: (status) => counts.answer(status),
    log,
  });
  return {
    url: service.url,
    close: async () => {
      await outcomes.close();
      await service.close();
    },
  };
}

const DOCUMENT: DocumentOptions = {
  title: 'AutoFlow ingest',
  description: `Records come in here, and are answered for: the data plane of AutoFlow. It does not need the control plane.

Every error is \`application/problem+json\` (RFC 9457) with a stable \`code\`, a \`remedy\`, and whether it is \`retryable\`. Sending the same
records again is always safe: what is there already is \`known\` by its key.`,
  never: ['RATE_LIMITED'],
  components: [SubmitResult, Attempts],
};
