import { createHash } from 'node:crypto';
import { type CallHandler, type ExecutionContext, Inject, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { IdempotencyStore, Log } from '@autoflow/store';
import type { Request, Response } from 'express';
import { from, lastValueFrom, type Observable, of } from 'rxjs';
import type { CallerRequest } from '../access/caller.js';
import { LOG } from '../log.js';
import { ProblemError } from '../problems/problem-error.js';
import { idempotencyKeyOf } from './idempotency-key.js';

const IDEMPOTENT = 'autoflow:idempotent';
/** `kept`: the answer is remembered. `secret`: that it was given is remembered, and not what it was. `true`: the route sees to it itself. */
export type Idempotent = true | 'kept' | 'secret';
export const RepeatsAnswers = (how: Idempotent) => SetMetadata(IDEMPOTENT, how);

/** Injection token of where keys are remembered. */
export const KEYS = Symbol('Keys');
export interface Keys {
  readonly store: IdempotencyStore;
  readonly retentionHours: number;
}

interface Digested {
  bodyDigest?: Buffer;
}
/** Of the bytes as they came, while they are there: the parser's own hook. */
export function digestBody(request: object, _response: unknown, bytes: Buffer): void {
  if ('idempotency-key' in (request as Request).headers) (request as Digested).bodyDigest = createHash('sha256').update(bytes).digest();
}

/**
 * A write that was sent with a key and done is not done again for the same key: the same request gets the answer there is, another one is
 * refused. A write that was refused or failed has done nothing, and its key may be sent again.
 */
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    @Inject(KEYS) private readonly keys: Keys,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const how = this.reflector.get<Idempotent | undefined>(IDEMPOTENT, context.getHandler());
    const request = context.switchToHttp().getRequest<Request & CallerRequest & Digested>();
    const response = context.switchToHttp().getResponse<Response>();
    const key = idempotencyKeyOf(request);
    if (how === undefined || how === true || key === undefined) return next.handle();

    const of_ = { actor: request.caller?.name ?? 'nobody', key };
    const route = `${request.method} ${request.path}`;
    const begun = await this.keys.store.begin({ ...of_, route, digest: digestOf(request), retentionHours: this.keys.retentionHours });
    switch (begun.kind) {
      case 'begun':
        return from(this.answer(of_, next, response, how === 'kept'));
      case 'answered':
        return of(repeated(begun.answer, response));
      case 'running':
        throw new ProblemError('IDEMPOTENCY_KEY_IN_USE', 'The same request is being worked on.');
      case 'reused':
        throw new ProblemError(
          'IDEMPOTENCY_KEY_REUSED',
          begun.route === route ? 'The key was sent before with another body.' : `The key was sent before to ${begun.route}.`,
        );
    }
  }

  private async answer(of_: { actor: string; key: string }, next: CallHandler, response: Response, keep: boolean): Promise<unknown> {
    let value: unknown;
    try {
      value = await lastValueFrom(next.handle());
    } catch (error) {
      await this.keys.store
        .forget(of_)
        .catch((lost: unknown) => this.log('warn', 'an idempotency key was not forgotten', { error: String(lost) }));
      throw error;
    }
    const etag = response.getHeader('ETag');
    const answer = { status: response.statusCode, ...(typeof etag === 'string' && { etag }), ...(keep && { body: JSON.stringify(value) }) };
    // It is done: whoever sent it is told so, whether the key could be remembered or not.
    await this.keys.store
      .finish({ ...of_, answer })
      .catch((lost: unknown) => this.log('warn', 'an answer was not remembered', { error: String(lost) }));
    return value;
  }
}

function repeated({ status, etag, body }: { status: number; etag?: string; body?: string }, response: Response): unknown {
  if (body === undefined)
    throw new ProblemError('ANSWER_NOT_KEPT', 'The request was done; its answer held a secret, which is kept nowhere.');
  response.status(status).setHeader('Idempotency-Replayed', 'true');
  if (etag !== undefined) response.setHeader('ETag', etag);
  return JSON.parse(body);
}

/** What else decides what is done: the parameters, and the state that was seen. */
function digestOf(request: Request & Digested): Buffer {
  const query = request.originalUrl.split('?')[1] ?? '';
  return createHash('sha256')
    .update(`${query}\n${request.get('if-match') ?? ''}\n`)
    .update(request.bodyDigest ?? '')
    .digest();
}
