import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { ProblemLocation } from '@autoflow/client';
import { jsonPointer } from '@autoflow/topology';
import { ProblemError } from './problem-error.js';

type Issue = NonNullable<Awaited<ReturnType<NonNullable<ArgumentMetadata['schema']>['~standard']['validate']>>['issues']>[number];

/** Checks what a handler declares a schema for, and tells everything that is wrong at once: in the body by pointer, else by parameter. */
export class RequestValidationPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (schema === undefined) return value;
    const { issues, ...result } = await schema['~standard'].validate(value);
    if (issues === undefined) return 'value' in result ? result.value : value;
    throw type === 'body'
      ? new ProblemError('INVALID_BODY', summary(issues, 'the body'), issues.map(inBody))
      : new ProblemError('INVALID_PARAMETER', summary(issues, 'the parameters'), issues.map(inParameters));
  }
}

function summary(issues: readonly Issue[], where: string): string {
  return issues.length === 1 ? `${pathOf(issues[0]!).join('.') || where}: ${issues[0]!.message}.` : `There are ${issues.length} things wrong with ${where}.`;
}

function inBody(issue: Issue): ProblemLocation {
  return { pointer: jsonPointer(...pathOf(issue)), message: issue.message };
}

function inParameters(issue: Issue): ProblemLocation {
  const [parameter] = pathOf(issue);
  return { ...(parameter !== undefined && { parameter: String(parameter) }), message: issue.message };
}

function pathOf({ path = [] }: Issue): PropertyKey[] {
  return path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
}
