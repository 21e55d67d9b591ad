import { serving } from '@autoflow/telemetry';
import { SpanStatusCode } from '@opentelemetry/api';
import type { NextFunction, Request, Response } from 'express';

/** A span for every request but those of probes, named by its route: what is in the place of a parameter may be nobody's business. */
export function traceRequest(request: Request, response: Response, next: NextFunction): void {
  if (request.path.startsWith('/v1/health/')) return next();
  const { span, run } = serving(request.method, request.headers, { 'http.request.method': request.method });
  response.once('close', () => {
    const { path } = (request.route ?? {}) as { readonly path?: unknown };
    if (typeof path === 'string') span.updateName(`${request.method} ${path}`).setAttribute('http.route', path);
    span.setAttribute('http.response.status_code', response.statusCode);
    if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  run(next);
}
