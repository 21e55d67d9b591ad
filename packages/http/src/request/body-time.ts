import type { Server } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

export interface Streams {
  /** Types of bodies that routes read by themselves, while they come. */
  readonly types: readonly string[];
  /** A connection that carries one is cut when nothing has passed for so long, either way. */
  readonly idleMs: number;
}

/** As long as Node waits for a request by default. */
const WHOLE_MS = 300_000;

/**
 * Streams may take as long as they like, as long as they move; every other request has to be there within `wholeMs`. Node's own bound on
 * requests would cut streams as well, so the server keeps only that on headers.
 */
export function limitBodies(server: Server, { types, idleMs }: Streams, wholeMs = WHOLE_MS) {
  server.requestTimeout = 0;
  return (request: Request, response: Response, next: NextFunction): void => {
    const mustEnd = () => {
      const late = setTimeout(() => request.complete || request.destroy(), wholeMs).unref();
      request.once('close', () => clearTimeout(late));
    };
    if (request.is([...types])) {
      request.setTimeout(idleMs, () => request.destroy());
      // Refused before it was read: what is left of it is for nobody.
      response.once('finish', mustEnd);
    } else mustEnd();
    next();
  };
}
