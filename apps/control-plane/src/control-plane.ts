import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Store } from '@autoflow/store';
import type { Client } from '@temporalio/client';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { jsonOnly } from './http/json-only.js';
import { assignRequestId } from './http/request-id.js';
import { RequestValidationPipe } from './http/request-validation.pipe.js';
import { nestLogger } from './nest-logger.js';
import { serveDocument } from './openapi/document.js';
import type { Log } from './ports.js';
import { backfillRuns } from './temporal/backfill-runs.js';

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
  /** Per address; default 1,200. */
  readonly requestsPerMinute?: number;
  readonly log?: Log;
}

export interface ControlPlane {
  readonly url: string;
  /** Answers what it has taken, takes no more, and resolves when the port is free. */
  close(): Promise<void>;
}

/** The admin API: resolves when it listens, rejects when the port is taken. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const {
    store,
    temporal,
    host = '127.0.0.1',
    port = 0,
    bodyLimitBytes = 1024 * 1024,
    requestsPerMinute = 1_200,
    log = () => undefined,
  } = options;
  const ports = { store, backfillRuns: backfillRuns(temporal), log };
  const app = await NestFactory.create<NestExpressApplication>(AppModule.over(ports, requestsPerMinute), {
    bodyParser: false,
    logger: nestLogger(log),
    abortOnError: false,
    forceCloseConnections: true,
  });
  app.disable('etag'); // ETags are revisions here, and nothing else.
  app.use(assignRequestId, helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }), jsonOnly);
  app.useBodyParser('json', { limit: bodyLimitBytes, type: ['application/json', '+json'] });
  app.useGlobalPipes(new RequestValidationPipe());
  serveDocument(app);
  await app.listen(port, host);
  const address = app.getHttpServer().address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () => app.close(),
  };
}
