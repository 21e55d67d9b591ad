import { type CanActivate, type ExecutionContext, Inject } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { AccessStore } from '@autoflow/store';
import type { Request } from 'express';
import { ProblemError } from '../problems/problem-error.js';
import { type CallerRequest } from './caller.js';
import { ACCESS, type Access, mayAct } from './roles.js';

/** Injection token of where tokens are found. */
export const TOKENS = Symbol('Tokens');

/** Lets a request pass whose bearer token has the role that the route needs; a route that says nothing needs `admin`. */
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(TOKENS) private readonly tokens: Pick<AccessStore, 'findToken'>,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const needs = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]) ?? 'admin';
    if (needs === 'public') return true;
    const request = context.switchToHttp().getRequest<Request & CallerRequest>();
    const token = tokenOf(request.get('authorization'));
    const caller = await this.tokens.findToken(token);
    if (caller === undefined) throw new ProblemError('UNAUTHENTICATED', 'The token is not known here.');
    if (!mayAct(caller.role, needs))
      throw new ProblemError('FORBIDDEN', `The token ${caller.name} has the role ${caller.role}; this needs ${needs}.`);
    request.caller = caller;
    return true;
  }
}

function tokenOf(header: string | undefined): string {
  if (header === undefined) throw new ProblemError('UNAUTHENTICATED', 'The request has no Authorization header.');
  const token = /^Bearer +([\x21-\x7e]{1,500}) *$/i.exec(header)?.[1];
  if (token === undefined) throw new ProblemError('UNAUTHENTICATED', 'The Authorization header is not of the form `Bearer TOKEN`.');
  return token;
}
