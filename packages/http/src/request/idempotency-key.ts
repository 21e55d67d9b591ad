import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ProblemError } from '../problems/problem-error.js';

/** What tells a request that is repeated from another one; undefined when the caller gives none. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined =>
  idempotencyKeyOf(context.switchToHttp().getRequest<Request>()),
);

export function idempotencyKeyOf(request: Request): string | undefined {
  const key = request.get('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  const message = 'Idempotency-Key is 1 to 200 visible ASCII characters';
  throw new ProblemError('INVALID_PARAMETER', `${message}.`, [{ parameter: 'Idempotency-Key', message }]);
}
