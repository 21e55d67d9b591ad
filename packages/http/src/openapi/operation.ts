import { applyDecorators, HttpCode, RequestMethod, RequestMapping } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Access, Needs } from '../access/roles.js';
import { PROBLEMS, type ProblemCode } from '../problems/problems.js';
import { type Idempotent, RepeatsAnswers } from '../request/idempotency.interceptor.js';

export interface OperationOptions {
  readonly summary: string;
  /** Beyond the summary. */
  readonly note?: string;
  /** Least role (see `Role`), or `public`. */
  readonly access: Access;
  /** Of the JSON that a 2xx answers. */
  readonly answers: z.ZodType;
  /** Default 200. */
  readonly status?: 200 | 201 | 202;
  /** Answers 200 where what it would make was there already, or is only tried. */
  readonly maybeThere?: true;
  /** Answers an ETag, and takes it as If-Match when it changes something. */
  readonly etag?: true;
  /** Takes an Idempotency-Key: the same request again answers what there is. */
  readonly idempotent?: Idempotent;
  /** Beyond those that every route has. */
  readonly problems?: readonly ProblemCode[];
}

export const Get = (path: string, options: OperationOptions) => Operation(RequestMethod.GET, path, options);
export const Post = (path: string, options: OperationOptions) => Operation(RequestMethod.POST, path, options);
export const Delete = (path: string, options: OperationOptions) => Operation(RequestMethod.DELETE, path, options);
export const Patch = (path: string, options: OperationOptions) => Operation(RequestMethod.PATCH, path, options);
export const Put = (path: string, options: OperationOptions) => Operation(RequestMethod.PUT, path, options);

/** One route with its access rule and its whole OpenAPI operation: nothing is documented that is not also what runs. */
function Operation(method: RequestMethod, path: string, options: OperationOptions): MethodDecorator {
  const { summary, note, access, answers, status = 200, maybeThere, etag, idempotent, problems = [] } = options;
  const changes = method === RequestMethod.PUT || method === RequestMethod.PATCH;
  return applyDecorators(
    RequestMapping({ method, path }),
    HttpCode(status),
    Needs(access),
    ParametersByRouteArguments,
    ApiOperation({
      summary,
      description: [access === 'public' ? 'Needs no token.' : `Needs the role ${access}.`, ...(note === undefined ? [] : [note])].join(' '),
    }),
    ...(access === 'public' ? [] : [ApiBearerAuth()]),
    ...(etag && changes
      ? [ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that was read, or `*`.', schema: { type: 'string' } })]
      : []),
    ...(idempotent
      ? [
          RepeatsAnswers(idempotent),
          ApiHeader({
            name: 'Idempotency-Key',
            required: false,
            description: 'The same request again with the same key answers what there is, instead of doing it twice.',
            schema: { type: 'string' },
          }),
        ]
      : []),
    ApiResponse({
      status,
      description: 'Done.',
      standardSchema: answers,
      ...(etag && { headers: { ETag: { description: 'The revision, for If-Match.', schema: { type: 'string' } } } }),
    }),
    ...(maybeThere ? [ApiResponse({ status: 200, description: 'It was there, or was only tried.', standardSchema: answers })] : []),
    ...problemResponses([
      ...EVERYWHERE,
      ...(access === 'public' ? [] : GUARDED),
      ...(changes && etag ? CONDITIONAL : []),
      ...(idempotent ? REPEATABLE : []),
      ...problems,
    ]),
  );
}

const EVERYWHERE: readonly ProblemCode[] = ['MALFORMED_REQUEST', 'INVALID_PARAMETER', 'RATE_LIMITED', 'INTERNAL'];
const GUARDED: readonly ProblemCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'STORE_UNAVAILABLE'];
const REPEATABLE: readonly ProblemCode[] = ['IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_KEY_IN_USE', 'ANSWER_NOT_KEPT'];
const CONDITIONAL: readonly ProblemCode[] = ['STALE_REVISION', 'REVISION_REQUIRED'];

/** As a description says it. */
export const told = (code: ProblemCode): string => `\`${code}\`: ${PROBLEMS[code].title}.`;

/** One response per status, listing the codes it can carry. */
function problemResponses(codes: readonly ProblemCode[]): MethodDecorator[] {
  const distinct = [...new Set(codes)];
  return [...new Set(distinct.map((code) => PROBLEMS[code].status))].map((status) =>
    ApiResponse({
      status,
      description: distinct
        .filter((code) => PROBLEMS[code].status === status)
        .map(told)
        .join(' '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}

/** The explorer takes parameters from the arguments' own schemas as soon as it finds types beside them, which our compilers do not emit. */
const ParametersByRouteArguments: MethodDecorator = (target, key) => {
  const routeArguments: object = Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) ?? {};
  const types = Object.values(routeArguments).map(() => String);
  Reflect.defineMetadata('design:paramtypes', types, target, key);
};
