import { CONTEXT_NAMES, type BatchContext, type Context, type ContextOf, type Uses } from './context.js';
import { DefinitionError } from './definition-error.js';
import { callable, type FunctionDefinition, type RetryOptions } from './definition.js';
import type { JsonOnly, Maybe, NoFields, Out, Schema } from './schema.js';
import type { Effect } from './spec.js';
import type { Once, Rec, Scope, Writers } from './symbolic-record.js';
import type { TerminalError } from './terminal-error.js';

/** A function without writes may return nothing. */
type Returned<W> = [keyof W] extends [never] ? void | {} : W;

type Handler<R, W, E extends Effect, U extends Uses> =
  | { readonly handle: (record: Readonly<R>, context: ContextOf<Context, E, U>) => Maybe<Returned<W>>; readonly handleBatch?: never }
  | {
      readonly handle?: never;
      /** Answers `records[i]` at position i; a `TerminalError` in a place fails that record alone. */
      readonly handleBatch: (
        records: readonly Readonly<R>[],
        context: ContextOf<BatchContext, E, U>,
      ) => Maybe<readonly (Returned<W> | TerminalError)[]>;
    };

export interface Fn<Name extends string, R, W> {
  <S extends Scope, T extends R, P>(record: Rec<S, T, P> & Once<T, W>): Rec<S, T & W, P & Writers<W, Name>>;
  readonly definition: FunctionDefinition;
}

/**
 * A function that adds the fields `writes` to a record, seeing only the fields `reads`. With a write effect it is a sink.
 *
 * `handle` is called for one record after the other, `handleBatch` for all records of an invocation at once. Records and their values are
 * frozen. What is thrown is tried again as `retry` says; a `TerminalError` is not. A plain `write` is never tried again.
 */
export function defineFunction<
  const Name extends string,
  const E extends Effect,
  R extends Schema,
  W extends Schema = NoFields,
  U extends Uses = {},
>(
  name: Name,
  spec: {
    readonly effect: E;
    readonly reads: R & JsonOnly<R>;
    readonly writes?: W & JsonOnly<W>;
    /** Not for `pure`: what a pure function cannot reach, it cannot depend on. */
    readonly uses?: E extends 'pure' ? never : U;
    /**
     * Only for `read`: an answer serves every record with the same reads for so long, within an instance. What it answers must not depend on `now`: which of
     * those records is asked for depends on the batch.
     */
    readonly memo?: E extends 'read' ? { readonly ttlMs: number } : never;
    /** Bounds one call of the handler (default 30 s). */
    readonly timeoutMs?: number;
    readonly retry?: E extends 'write' ? never : RetryOptions;
  } & Handler<Out<R>, Out<W>, E, U>,
): Fn<Name, Out<R>, Out<W>> {
  const definition = { kind: 'function', name, ...spec } as unknown as FunctionDefinition;
  checkFunction(definition);
  return callable(definition);
}

const EFFECTS: readonly string[] = ['pure', 'read', 'idempotent-write', 'write'] satisfies Effect[];

/** What the compiler says too, for those who do not ask it. */
function checkFunction({ name, effect, uses = {}, memo, retry, handle, handleBatch }: FunctionDefinition): void {
  const refuse = (found: string, remedy: string): never => {
    throw new DefinitionError('BAD_FUNCTION', `function '${name}' ${found}`, remedy);
  };
  if (!EFFECTS.includes(effect)) refuse(`has the effect ${JSON.stringify(effect)}`, `use one of ${EFFECTS.join(', ')}`);
  if (typeof handle === typeof handleBatch)
    refuse(handle ? 'has both handle and handleBatch' : 'has neither handle nor handleBatch', 'give exactly one of them');
  if (effect === 'pure' && Object.keys(uses).length > 0)
    refuse('is pure and uses a resource', `declare the effect: 'read', 'idempotent-write' or 'write'`);
  if (effect !== 'read' && memo) refuse(`has the effect '${effect}' and a memo`, 'only a read can be remembered');
  if (effect === 'write' && retry)
    refuse('is a plain write and has retry options', `a plain write is never tried again; make it 'idempotent-write' if it may be`);
  for (const [as, resource] of Object.entries(uses)) {
    if (CONTEXT_NAMES.includes(as))
      refuse(`uses a resource as '${as}', which hides what the context holds under that name`, 'give it another name');
    if (resource?.kind !== 'resource') refuse(`uses '${as}', which is no resource`, 'make it with defineResource');
  }
}
