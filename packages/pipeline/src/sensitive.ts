/** Fields that hold what not everybody may see: stored, because a record that died must be run again; shown to nobody who does not ask for them. */
import { toJSONSchema, type z } from 'zod';
import type { FunctionDefinition } from './definition.js';
import type { Fields, Json } from './json.js';
import type { Schema } from './schema.js';

/**
 * Marks a field, or a part of one: its values are blanked out of what the API and the CLI show, and of error messages and logs that quote them.
 * The same as `.meta({ sensitive: true })`. Its type and what it accepts stay as they are.
 */
export function sensitive<T extends z.ZodType>(schema: T): T {
  return schema.meta({ sensitive: true });
}

export const REDACTED = '[redacted]';

interface Wired {
  readonly input: Schema;
  readonly output: Schema;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
}

/** Paths of everything that is marked, in any schema of the pipeline: JSON pointers with `*` for each element. */
export function sensitivePaths({ input, output, functions }: Wired): string[] {
  const schemas = [input, output, ...[...functions.values()].flatMap(({ reads, writes }) => [reads, ...(writes ? [writes] : [])])];
  const paths = new Set<string>();
  for (const schema of new Set(schemas)) {
    const json = toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    collect(json, json.$defs ?? {}, '', paths, 0);
  }
  return [...paths].sort();
}

interface JsonSchema {
  readonly sensitive?: unknown;
  readonly $ref?: string;
  readonly $defs?: { readonly [name: string]: JsonSchema };
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly [keyword: string]: unknown;
}
/** Schemas may contain themselves; what lies deeper than this is not told apart, and no record is that deep. */
const DEEPEST = 12;

function collect(schema: JsonSchema, definitions: NonNullable<JsonSchema['$defs']>, path: string, paths: Set<string>, depth: number): void {
  if (typeof schema !== 'object' || schema === null || depth > DEEPEST) return;
  if (schema.sensitive === true) return void paths.add(path);
  const into = (inner: unknown, at: string) => collect(inner as JsonSchema, definitions, at, paths, depth + 1);
  if (schema.$ref !== undefined) into(definitions[schema.$ref.replace('#/$defs/', '')], path);
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    into(inner, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  for (const keyword of ['items', 'additionalProperties']) into(schema[keyword], `${path}/*`);
  for (const keyword of ['prefixItems']) for (const inner of (schema[keyword] ?? []) as unknown[]) into(inner, `${path}/*`);
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) for (const inner of (schema[keyword] ?? []) as unknown[]) into(inner, path);
}

/** A copy in which everything at these paths is `[redacted]`; the same object where nothing is. */
export function redactFields(fields: Fields, paths: readonly string[] = []): Fields {
  return paths.reduce<Json>((value, path) => at(value, segments(path), () => REDACTED), fields as Json) as Fields;
}

/** Strings and numbers at these paths, as messages quote them; the longest first. What is shorter than three characters stands everywhere. */
export function sensitiveValues(fields: Fields, paths: readonly string[]): string[] {
  const found = new Set<string>();
  const quote = (value: Json | undefined): void => {
    if (typeof value === 'string') for (const text of [value, value.trim(), JSON.stringify(value).slice(1, -1)]) found.add(text);
    else if (typeof value === 'number') found.add(String(value));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach((inner) => quote(inner as Json));
  };
  for (const path of paths)
    at(fields as Json, segments(path), (value) => {
      quote(value);
      return value;
    });
  return [...found].filter(({ length }) => length > 2).sort((a, b) => b.length - a.length);
}

/** Best effort: a message that quotes a value in another form than it has keeps it. */
export function blankOut(message: string, values: readonly string[]): string {
  return values.reduce((text, value) => text.replaceAll(value, REDACTED), message);
}

const segments = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));

function at(value: Json, [first, ...rest]: readonly string[], change: (value: Json) => Json): Json {
  if (first === undefined) return value === null || value === undefined ? value : change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return first === '*' ? value.map((each) => at(each as Json, rest, change)) : value;
  const names = first === '*' ? Object.keys(value) : Object.hasOwn(value, first) ? [first] : [];
  if (names.length === 0) return value;
  const changed = names.map((name) => [name, at((value as { [name: string]: Json })[name] as Json, rest, change)]);
  return { ...(value as object), ...(Object.fromEntries(changed) as object) } as Json;
}
