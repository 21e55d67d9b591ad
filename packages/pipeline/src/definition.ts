import { DefinitionError } from './definition-error.js';
import { addNode } from './graph.js';
import type { Fields } from './json.js';
import { checkFieldNames, checkName } from './names.js';
import type { Resource } from './resource.js';
import { fieldsOf, isSchema, type Schema } from './schema.js';
import type { Effect, FunctionKind, RetryPolicy } from './spec.js';
import { nodeOf, recordOf, type Rec } from './symbolic-record.js';

/** How often and how patiently a record is tried again in this function. The fields of Temporal's retry policy; times in milliseconds. */
export type RetryOptions = Partial<RetryPolicy>;

/** Options that every kind of function takes. */
export interface CallOptions {
  /** Bounds one call of the handler (default 30 s). */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
}

export const DEFAULT_TIMEOUT_MS = 30_000;
/** Temporal's own defaults, but for the number of attempts, which is bounded so that no record is tried for ever. */
export const DEFAULT_RETRY: RetryPolicy = {
  maximumAttempts: 5,
  initialIntervalMs: 1_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 100_000,
};

/** What a function is, its types erased: what the runtime runs. */
export interface FunctionDefinition extends CallOptions {
  readonly kind: FunctionKind;
  readonly name: string;
  readonly effect: Effect;
  readonly reads: Schema;
  readonly writes?: Schema;
  readonly uses?: { readonly [as: string]: Resource<unknown> };
  readonly memo?: { readonly ttlMs: number };
  readonly handle?: (record: Fields, context: object) => unknown;
  readonly handleBatch?: (records: readonly Fields[], context: object) => unknown;
  readonly keep?: (record: Fields) => unknown;
  readonly children?: (record: Fields) => unknown;
  readonly key?: readonly string[];
  readonly into?: string;
  readonly zero?: Fields;
  readonly add?: (sum: Fields, child: Fields) => unknown;
  readonly merge?: (a: Fields, b: Fields) => unknown;
}

/** Turns a definition into what a user calls on symbolic records: every call adds a node. */
export function callable<F>(definition: FunctionDefinition): F {
  checkDefinition(definition);
  const call = (record: Rec): Rec => recordOf(addNode(definition, [nodeOf(record, `'${definition.name}'`)]));
  return Object.assign(call, { definition: Object.freeze(definition) }) as F;
}

function checkDefinition({ kind, name, reads, writes, timeoutMs, retry = {}, memo }: FunctionDefinition): void {
  checkName(`a ${kind}`, name);
  for (const [what, schema] of Object.entries({ reads, writes: writes ?? reads })) {
    if (!isSchema(schema))
      throw new DefinitionError(
        'BAD_SCHEMA',
        `'${what}' of ${kind} '${name}' is no Zod object`,
        'give z.object({ … }); z.object({}) declares no field',
      );
    checkFieldNames(`${kind} '${name}'`, fieldsOf(schema));
  }
  const numbers = {
    timeoutMs,
    'memo.ttlMs': memo?.ttlMs,
    'retry.maximumAttempts': retry.maximumAttempts,
    'retry.initialIntervalMs': retry.initialIntervalMs,
    'retry.maximumIntervalMs': retry.maximumIntervalMs,
  };
  for (const [option, value] of Object.entries(numbers))
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw badOption(kind, name, option, value, 'a whole number greater than zero');
  const { backoffCoefficient = 1 } = retry;
  if (!(Number.isFinite(backoffCoefficient) && backoffCoefficient >= 1))
    throw badOption(kind, name, 'retry.backoffCoefficient', backoffCoefficient, 'a number of at least 1');
}

function badOption(kind: string, name: string, option: string, value: unknown, wanted: string): DefinitionError {
  return new DefinitionError('BAD_OPTION', `${kind} '${name}' has ${option} = ${String(value)}`, `use ${wanted}, or leave it out`);
}
