import type { Fields, Json } from '../json.js';
import { Failure } from './failure.js';
import { DEEPEST, NotJsonError, takeJson } from './json-values.js';
import type { PlannedNode } from './plan.js';

/**
 * The fields that a handler's answer adds, as a frozen copy; a failure when the answer is not what the node declares. A declared field
 * must always be there. `strict` also refuses undeclared fields, which otherwise are left out, and checks values against the schema.
 */
export function takeFields(
  { id, spec: { writes }, definition, required }: PlannedNode,
  answer: unknown,
  strict: boolean,
): Fields | Failure {
  if (answer === undefined && required.length === 0) return {};
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    return Failure.wrongAnswer(`'${id}' answered ${named(answer)}; answer an object with the fields ${listed(writes)}`);
  const given = answer as { readonly [field: string]: unknown };

  const missing = required.filter((field) => given[field] === undefined);
  if (missing.length > 0) return Failure.wrongAnswer(`'${id}' answered without ${listed(missing)}, which it declares in writes`);
  if (strict) {
    const extra = Object.keys(given).filter((field) => given[field] !== undefined && !writes.includes(field));
    if (extra.length > 0)
      return new Failure(
        true,
        'UNDECLARED_FIELD',
        `'${id}' answered ${listed(extra)}, which it does not declare in writes; declare or drop it`,
      );
  }
  const fields: { [field: string]: Json } = {};
  for (const field of writes) {
    if (given[field] === undefined) continue;
    const value = takeValue(id, given[field], `field '${field}'`);
    if (value instanceof Failure) return value;
    fields[field] = value;
  }
  return (strict && definition.writes && mismatch(id, definition.writes, fields)) || fields;
}

/** One value that is to travel as JSON. */
export function takeValue(id: string, value: unknown, where: string): Json | Failure {
  try {
    return takeJson(value, where);
  } catch (thrown) {
    if (thrown instanceof NotJsonError)
      return Failure.wrongAnswer(
        `'${id}' answered what JSON cannot carry: ${thrown.message}; convert it to text, a finite number, a list or a plain object`,
      );
    if (thrown instanceof RangeError)
      return Failure.wrongAnswer(`'${id}' answered a value that is circular or nested too deeply (more than ${DEEPEST} levels): ${where}`);
    return Failure.wrongAnswer(`'${id}' answered a value that cannot be read: ${where}: ${Failure.of(thrown).message}`);
  }
}

function mismatch(id: string, schema: NonNullable<PlannedNode['definition']['writes']>, fields: Fields): Failure | undefined {
  const { error } = schema.safeParse(fields);
  if (!error) return undefined;
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return Failure.wrongAnswer(`'${id}' answered fields that do not fit its writes: ${problems.join('; ')}`);
}

export function named(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return value instanceof Promise ? 'a promise' : 'an object';
  return typeof value === 'string' ? 'a text' : String(value);
}

function listed(fields: readonly string[]): string {
  return fields.map((field) => `'${field}'`).join(', ');
}
