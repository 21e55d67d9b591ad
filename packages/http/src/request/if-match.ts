import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ProblemError } from '../problems/problem-error.js';

/** The revision that the caller has seen; undefined for `If-Match: *`. Without the header the change is refused (428). */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined =>
  revisionOf(context.switchToHttp().getRequest<Request>().get('if-match')),
);

export function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined) throw new ProblemError('REVISION_REQUIRED', 'The request has no If-Match header.');
  if (header.trim() === '*') return undefined;
  const revision = /^"([0-9]{1,9})"$/.exec(header.trim())?.[1];
  if (revision !== undefined) return Number(revision);
  const message = 'If-Match is one ETag as it was answered, such as "3" with its quotes, or *';
  throw new ProblemError('INVALID_PARAMETER', `${message}.`, [{ parameter: 'If-Match', message }]);
}

export function etagOf(revision: number): string {
  return `"${revision}"`;
}
