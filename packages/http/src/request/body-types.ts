import type { NextFunction, Request, Response } from 'express';
import { ProblemError } from '../problems/problem-error.js';

export const JSON_TYPES: readonly string[] = ['application/json', '+json'];

/** Refuses a body of another type: it would be ignored by the parser, and then reported as missing. */
export function onlyBodiesOf(types: readonly string[]) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const type = request.get('content-type');
    if (hasBody(request) && !request.is([...types]))
      throw new ProblemError(
        'UNSUPPORTED_MEDIA_TYPE',
        `The body is sent as ${type === undefined ? 'nothing in particular' : JSON.stringify(type)}.`,
      );
    next();
  };
}

function hasBody(request: Request): boolean {
  return request.get('transfer-encoding') !== undefined || Number(request.get('content-length') ?? 0) > 0;
}
