import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Actor } from '@autoflow/store';
import type { Response } from 'express';
import { requestIdOf } from '../request/request-id.js';

export interface CallerRequest {
  /** Set by the access guard. */
  caller?: { readonly name: string; readonly role: 'viewer' | 'operator' | 'admin' };
}

/** Who asks, for the audit log; the reason comes from the body, or from the route where the body need not give one. */
export type By = (reason: string) => Actor;

export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): By => {
  const http = context.switchToHttp();
  const actor = http.getRequest<CallerRequest>().caller?.name ?? 'nobody';
  const requestId = requestIdOf(http.getResponse<Response>());
  return (reason) => ({ actor, reason, requestId });
});
