import { DefinitionError } from './definition-error.js';
import type { FunctionDefinition } from './definition.js';
import { inputNode } from './graph.js';
import { checkFieldNames, checkName } from './names.js';
import { fieldsOf, isSchema, type JsonOnly, type Out, type Schema } from './schema.js';
import { sensitivePaths } from './sensitive.js';
import { nodeOf, recordOf, type Rec, type Writers } from './symbolic-record.js';
import { wiringOf, type Wiring } from './wiring.js';
import { wiringProblems } from './wiring-problems.js';

declare const types: unique symbol;
/** A registered symbol: the platform recognises pipelines of a bundle, which holds its own copy of this module. */
const brand = Symbol.for('autoflow.Pipeline');

/** A wired pipeline. Make one with `definePipeline`; `specOf` gives its serialisable form. */
export interface Pipeline<Name extends string, I, O> {
  readonly name: Name;
  /** The input field that identifies a record. */
  readonly key: keyof I & string;
  readonly input: Schema;
  readonly output: Schema;
  readonly wiring: Pick<Wiring, 'nodes' | 'resources'>;
  /** What to run for each node, by node id. */
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly [types]: { readonly input: I; readonly output: O };
}
/* eslint-disable @typescript-eslint/no-explicit-any -- of any input and output: `unknown` would not do where the key's type depends on the input */
export type AnyPipeline = Pipeline<string, any, any>;
export type InputOf<P> = P extends Pipeline<string, infer I, any> ? I : never;
export type OutputOf<P> = P extends Pipeline<string, any, infer O> ? O : never;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Fields that can identify a record. */
type KeyOf<I> = { [K in keyof I]-?: I[K] extends string | number ? K : never }[keyof I] & string;

/**
 * Wires functions into a pipeline. `key` names the input field that identifies a record: the same key twice is the same record.
 * `wire` runs once, on a symbolic record, and returns the one record whose arrival completes the input record.
 * Throws a `DefinitionError` that lists everything wrong with the wiring.
 */
export function definePipeline<const Name extends string, I extends Schema, O extends Schema>(
  name: Name,
  spec: { readonly input: I & JsonOnly<I>; readonly key: KeyOf<Out<I>>; readonly output: O & JsonOnly<O> },
  wire: (record: Rec<readonly [Name], Out<I>, Writers<Out<I>, 'input'>>) => Rec<readonly [Name], Out<O>>,
): Pipeline<Name, Out<I>, Out<O>> {
  checkName('a pipeline', name);
  for (const [what, schema] of Object.entries({ input: spec.input, output: spec.output })) {
    if (!isSchema(schema))
      throw new DefinitionError('BAD_SCHEMA', `'${what}' of pipeline '${name}' is no Zod object`, 'give z.object({ … })');
    checkFieldNames(`the ${what} of pipeline '${name}'`, fieldsOf(schema));
  }
  const input = fieldsOf(spec.input);
  const output = fieldsOf(spec.output);
  if (!input.includes(spec.key))
    throw new DefinitionError(
      'KEY_MISSING',
      `pipeline '${name}' has the key ${JSON.stringify(spec.key)}, which is no field of its input`,
      `name the field that identifies a record, one of: ${input.join(', ')}`,
    );

  const start = inputNode(name);
  const { graph } = start;
  const result: unknown = wire(recordOf(start) as never);
  if (result instanceof Promise) result.catch(() => {}); // refused in the next line, with the reason; its own rejection says less
  const last = nodeOf(result, `the result of pipeline '${name}'`);
  if (last.graph !== graph)
    throw new DefinitionError(
      'PIPELINES_MIXED',
      `pipeline '${name}' returns a record of pipeline '${last.graph.pipeline}'`,
      'return a record that comes from the record of this `wire`',
    );
  graph.closed = true;

  const { nodes, resources, functions, ...rest } = wiringOf(graph.nodes, input);
  const problems = wiringProblems({ nodes, resources, functions, ...rest }, graph.nodes, last, input, output);
  if (problems.length > 0)
    throw new DefinitionError(
      'PIPELINE_INVALID',
      `pipeline '${name}': ${problems.join('; ')}`,
      `correct ${problems.length === 1 ? 'it' : `these ${problems.length} problems`} and define it again`,
    );
  if (sensitivePaths({ input: spec.input, output: spec.output, functions }).includes(`/${spec.key}`))
    throw new DefinitionError(
      'KEY_SENSITIVE',
      `pipeline '${name}' has the key '${spec.key}', which is marked as sensitive`,
      'a key stands in lists, logs and addresses; identify a record by something else, such as a hash of it',
    );
  return Object.freeze({
    [brand]: true,
    name,
    key: spec.key,
    input: spec.input,
    output: spec.output,
    wiring: { nodes, resources },
    functions,
  }) as unknown as Pipeline<Name, Out<I>, Out<O>>;
}

/** By brand, not by identity of this module. */
export function isPipeline(value: unknown): value is AnyPipeline {
  return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;
}

/** The pipelines among the exports of a loaded module, each once, in the order of their names. */
export function pipelinesIn(moduleExports: object): AnyPipeline[] {
  const found = new Set(Object.values(moduleExports).filter(isPipeline));
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}
