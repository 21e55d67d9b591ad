import type { NextFunction, Request, Response } from 'express';
import { ProblemError } from './problem-error.js';

/** A body of another type would be ignored by the JSON parser, and then reported as missing. */
export function jsonOnly(request: Request, _response: Response, next: NextFunction): void {
  const type = request.get('content-type');
  if (hasBody(request) && !request.is(['application/json', '+json']))
    throw new ProblemError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body is sent as ${type === undefined ? 'nothing in particular' : JSON.stringify(type)}.`,
    );
  next();
}

function hasBody(request: Request): boolean {
  return request.get('transfer-encoding') !== undefined || Number(request.get('content-length') ?? 0) > 0;
}
