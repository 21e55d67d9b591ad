import { fromJSONSchema, type ZodType } from 'zod';
import type { Fields } from '../json.js';
import { isPipeline, type AnyPipeline } from '../pipeline.js';
import type { PipelineSpec } from '../spec.js';
import { NotJsonError, takeJson } from './json-values.js';

export type Admission = { readonly ok: true; readonly key: string; readonly fields: Fields } | Refusal;
export interface Refusal {
  readonly ok: false;
  readonly problems: readonly string[];
  /** Of each problem the path of its field, as far as there is one. */
  readonly paths: readonly (readonly PropertyKey[])[];
}

const LONGEST_KEY = 512;
const MOST_PROBLEMS = 20;

/**
 * Checks an input record against the pipeline's input and answers its declared fields, with defaults, as a frozen copy; or every problem,
 * each beginning with the path of its field. With a spec, which holds no code, refinements written in code are not asked.
 */
export function admitRecord(pipeline: AnyPipeline | PipelineSpec, value: unknown): Admission {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refusal('the record is no JSON object');
  const admitted = declaredFields(inputOf(pipeline), value);
  if (!admitted.ok) return admitted;
  const { fields } = admitted;
  const key = String(fields[pipeline.key] ?? '');
  if (key === '') return refusal(`${pipeline.key}: the key is empty`, pipeline.key);
  if (key.length > LONGEST_KEY)
    return refusal(`${pipeline.key}: the key has ${key.length} characters, more than ${LONGEST_KEY}`, pipeline.key);
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

function declaredFields({ schema, names }: Input, value: object): { readonly ok: true; readonly fields: Fields } | Refusal {
  try {
    const { error, data } = schema.safeParse(value);
    if (error) return { ok: false, ...problemsOf(error.issues) };
    const declared = names.map((name) => [name, (data as Fields)[name]] as const);
    return { ok: true, fields: takeJson(Object.fromEntries(declared), 'the record') as Fields };
  } catch (thrown) {
    if (thrown instanceof NotJsonError) return refusal(`${thrown.message}, which JSON cannot carry`);
    if (thrown instanceof RangeError) return refusal('the record is circular or nested too deeply');
    throw thrown;
  }
}

function refusal(problem: string, ...path: readonly string[]): Refusal {
  return { ok: false, problems: [problem], paths: path.length > 0 ? [path] : [] };
}

function problemsOf(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): Pick<Refusal, 'problems' | 'paths'> {
  const told = issues.slice(0, MOST_PROBLEMS);
  const problems = told.map(({ path, message }) => `${path.join('.') || 'the record'}: ${message}`);
  const paths = told.map(({ path }) => path);
  return { problems: issues.length > told.length ? [...problems, `and ${issues.length - told.length} more`] : problems, paths };
}
