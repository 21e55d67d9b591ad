import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { ProblemLocation } from '@autoflow/client';
import { jsonPointer } from '@autoflow/topology';
import { ProblemError } from '../problems/problem-error.js';

type Issue = NonNullable<Awaited<ReturnType<NonNullable<ArgumentMetadata['schema']>['~standard']['validate']>>['issues']>[number];

/** Checks what a handler declares a schema for, and tells everything that is wrong at once: in the body by pointer, else by parameter. */
export class RequestValidationPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (schema === undefined) return value;
    const { issues, ...result } = await schema['~standard'].validate(value);
    if (issues === undefined) return 'value' in result ? result.value : value;
    throw type === 'body'
      ? new ProblemError('INVALID_BODY', summary(issues, 'the body'), issues.flatMap(inBody))
      : new ProblemError('INVALID_PARAMETER', summary(issues, 'the parameters'), issues.flatMap(inParameters));
  }
}

function summary(issues: readonly Issue[], where: string): string {
  return issues.length === 1
    ? `${pathOf(issues[0]!).join('.') || where}: ${issues[0]!.message}.`
    : `There are ${issues.length} things wrong with ${where}.`;
}

function inBody(issue: Issue): ProblemLocation[] {
  return pathsOf(issue).map((path) => ({ pointer: jsonPointer(...path), message: issue.message }));
}

function inParameters(issue: Issue): ProblemLocation[] {
  return pathsOf(issue).map(([parameter]) => ({
    ...(parameter !== undefined && { parameter: String(parameter) }),
    message: issue.message,
  }));
}

/** A key that should not be there is located at the key, not at the object that has it. */
function pathsOf(issue: Issue): PropertyKey[][] {
  const { keys } = issue as { keys?: readonly string[] };
  return keys === undefined ? [pathOf(issue)] : keys.map((key) => [...pathOf(issue), key]);
}

function pathOf({ path = [] }: Issue): PropertyKey[] {
  return path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
}
