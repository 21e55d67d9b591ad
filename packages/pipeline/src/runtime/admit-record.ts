import { fromJSONSchema, type ZodType } from 'zod';
import type { Fields } from '../json.js';
import { isPipeline, type AnyPipeline } from '../pipeline.js';
import type { PipelineSpec } from '../spec.js';
import { NotJsonError, takeJson } from './json-values.js';

export type Admission =
  { readonly ok: true; readonly key: string; readonly fields: Fields } | { readonly ok: false; readonly problems: readonly string[] };

const LONGEST_KEY = 512;
const MOST_PROBLEMS = 20;

/**
 * Checks an input record against the pipeline's input and answers its declared fields, with defaults, as a frozen copy; or every problem,
 * each beginning with the path of its field. With a spec, which holds no code, refinements written in code are not asked.
 */
export function admitRecord(pipeline: AnyPipeline | PipelineSpec, value: unknown): Admission {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { ok: false, problems: ['the record is no JSON object'] };
  const admitted = declaredFields(inputOf(pipeline), value);
  if (!admitted.ok) return admitted;
  const { fields } = admitted;
  const key = String(fields[pipeline.key] ?? '');
  if (key === '') return { ok: false, problems: [`${pipeline.key}: the key is empty`] };
  if (key.length > LONGEST_KEY)
    return { ok: false, problems: [`${pipeline.key}: the key has ${key.length} characters, more than ${LONGEST_KEY}`] };
  return { ok: true, key, fields };
}

interface Input {
  readonly schema: ZodType;
  readonly names: readonly string[];
}
const inputs = new WeakMap<object, Input>();

function inputOf(pipeline: AnyPipeline | PipelineSpec): Input {
  const known = inputs.get(pipeline);
  if (known) return known;
  const input = isPipeline(pipeline)
    ? { schema: pipeline.input, names: Object.keys(pipeline.input.shape) }
    : { schema: fromJSONSchema(pipeline.schemas.input as Parameters<typeof fromJSONSchema>[0]), names: pipeline.input };
  inputs.set(pipeline, input);
  return input;
}

function declaredFields({ schema, names }: Input, value: object): { ok: true; fields: Fields } | { ok: false; problems: string[] } {
  try {
    const { error, data } = schema.safeParse(value);
    if (error) return { ok: false, problems: problemsOf(error.issues) };
    const declared = names.map((name) => [name, (data as Fields)[name]] as const);
    return { ok: true, fields: takeJson(Object.fromEntries(declared), 'the record') as Fields };
  } catch (thrown) {
    if (thrown instanceof NotJsonError) return { ok: false, problems: [`${thrown.message}, which JSON cannot carry`] };
    if (thrown instanceof RangeError) return { ok: false, problems: ['the record is circular or nested too deeply'] };
    throw thrown;
  }
}

function problemsOf(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string[] {
  const told = issues.slice(0, MOST_PROBLEMS).map(({ path, message }) => `${path.join('.') || 'the record'}: ${message}`);
  return issues.length > told.length ? [...told, `and ${issues.length - told.length} more`] : told;
}
