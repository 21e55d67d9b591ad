import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Log } from '@autoflow/store';
import { LOG } from '../log.js';
import { ProblemError } from './problem-error.js';
import { problemOf } from './problem-of.js';
import { PROBLEMS, type ProblemKind } from './problems.js';
import { requestIdOf } from '../request/request-id.js';

/** Turns everything thrown, in handlers, guards, parsers and routing alike, into `application/problem+json`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOG) private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const requestId = requestIdOf(response);
    const problem = problemOf(error) ?? new ProblemError('INTERNAL', 'Something that nobody foresaw went wrong.', [], { cause: error });
    if (problem.status >= 500)
      this.log('error', problem.message, {
        requestId,
        method: request.method,
        path: request.path,
        code: problem.code,
        cause: stackOf(problem.cause),
      });
    if (response.headersSent) return void response.end();
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="autoflow"');
    const { status, retryAfterS = status === 503 ? 2 : undefined }: ProblemKind = PROBLEMS[problem.code];
    if (retryAfterS !== undefined) response.setHeader('Retry-After', retryAfterS);
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify(problem.toProblem(requestId)));
  }
}

function stackOf(cause: unknown): string | undefined {
  return cause instanceof Error ? (cause.stack ?? cause.message) : cause === undefined ? undefined : String(cause);
}
