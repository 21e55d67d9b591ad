import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Log } from '@autoflow/store';
import type { Request, Response } from 'express';
import helmet from 'helmet';
import { nestLogger } from './log.js';
import { type DocumentOptions, serveDocument } from './openapi/document.js';
import { limitBodies, type Streams } from './request/body-time.js';
import { JSON_TYPES, onlyBodiesOf } from './request/body-types.js';
import { digestBody } from './request/idempotency.interceptor.js';
import { assignRequestId } from './request/request-id.js';
import { traceRequest } from './request/trace.js';
import { RequestValidationPipe } from './request/request-validation.pipe.js';

export interface ServiceOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Of JSON bodies. */
  readonly bodyLimitBytes: number;
  /** JSON bodies of the routes under `path` may be larger. */
  readonly largeBodies?: { readonly path: string; readonly limitBytes: number };
  /** Bodies beside JSON. */
  readonly streams?: Streams;
  readonly document: DocumentOptions;
  /** Told the status of every answer that was sent. */
  readonly answered?: (status: number) => void;
  readonly log: Log;
}

export interface Service {
  readonly url: string;
  /** Answers what it has taken, takes no more, and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * How long a connection without a request stays open. Clients use theirs again as long as they believe it open, and a request that meets
 * the closing is lost: with Node's 5 s that is every steady client whose load pauses. Longer than the minute after which balancers let go.
 */
const KEEP_ALIVE_MS = 75_000;
/** Longer than that: some versions of Node count the time in which nothing is asked. */
const HEADERS_MS = KEEP_ALIVE_MS + 5_000;

/** Serves a module as every API of AutoFlow is served: resolves when it listens, rejects when the port is taken. */
export async function serve(module: DynamicModule, options: ServiceOptions): Promise<Service> {
  const { host, port, bodyLimitBytes, largeBodies, streams, document, answered, log } = options;
  const app = await NestFactory.create<NestExpressApplication>(module, {
    bodyParser: false,
    logger: nestLogger(log),
    abortOnError: false,
    forceCloseConnections: true,
  });
  const server = app.getHttpServer() as Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_MS;
  app.disable('etag'); // ETags are revisions here, and nothing else.
  const headers = helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });
  if (answered !== undefined)
    app.use((_request: Request, response: Response, next: () => void) => {
      response.once('finish', () => answered(response.statusCode));
      next();
    });
  if (streams !== undefined) app.use(limitBodies(server, streams));
  app.use(traceRequest, assignRequestId, headers, onlyBodiesOf([...JSON_TYPES, ...(streams?.types ?? [])]));
  if (largeBodies !== undefined)
    app.useBodyParser('json', {
      limit: largeBodies.limitBytes,
      type: (request) => isLarge(request as Request, largeBodies.path),
      ...{ verify: digestBody },
    });
  app.useBodyParser('json', { limit: bodyLimitBytes, type: [...JSON_TYPES], ...{ verify: digestBody } }); // which its types do not know
  app.useGlobalPipes(new RequestValidationPipe());
  serveDocument(app, document);
  await app.listen(port, host);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () => app.close(),
  };
}

/** What one parser has read, the next leaves alone. */
function isLarge(request: Request, path: string): boolean {
  return request.path.startsWith(path) && Boolean(request.is([...JSON_TYPES]));
}
