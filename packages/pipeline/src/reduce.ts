import { DefinitionError } from './definition-error.js';
import { callable, type CallOptions, type FunctionDefinition } from './definition.js';
import type { Fields } from './json.js';
import { checkFieldNames } from './names.js';
import { fieldsOf, isSchema, type Flat, type JsonOnly, type Out, type Schema, type WiringError } from './schema.js';
import type { Rec, Scope } from './symbolic-record.js';

export interface Reduce<Name extends string, R, Into extends string, V> {
  <P extends Scope, C extends string, T extends R, W>(
    children: Rec<readonly [...P, C], T, W> &
      (P extends readonly [] ? WiringError<'a reduce closes an expand; here is none to close'> : unknown),
  ): Rec<P, { readonly [K in Into]: V }, { readonly [K in Into]: Name }>;
  readonly definition: FunctionDefinition;
}

type Grouped<R, Key extends readonly (keyof R)[], A> = Key extends readonly [] ? A : Flat<Pick<R, Key[number]> & A>[];

/**
 * Closes a scope: folds the children of each parent, by key, into the parent's field `into`; groups come sorted by key.
 * Every parent gets the field, also one without children. `add` and `merge` must be associative and commutative bit for bit (sums of
 * integers are, sums of fractions are not): that lets children be folded in any order and in parts. `checkReduce` in testing tries.
 */
export function defineReduce<
  const Name extends string,
  R extends Schema,
  const Into extends string,
  A extends Fields,
  const Key extends readonly (keyof Out<R> & string)[] = readonly [],
>(
  name: Name,
  spec: CallOptions & {
    readonly reads: R & JsonOnly<R>;
    readonly key?: Key;
    readonly into: Into;
    readonly zero: A;
    readonly add: (sum: Readonly<NoInfer<A>>, child: Readonly<Out<R>>) => NoInfer<A>;
    readonly merge: (a: Readonly<NoInfer<A>>, b: Readonly<NoInfer<A>>) => NoInfer<A>;
  },
): Reduce<Name, Out<R>, Into, Grouped<Out<R>, Key, A>> {
  const definition = { kind: 'reduce', name, effect: 'pure', ...spec } as unknown as FunctionDefinition;
  checkReduceDefinition(definition);
  return callable(definition);
}

function checkReduceDefinition({ name, reads, key = [], into, zero }: FunctionDefinition): void {
  const known = isSchema(reads) ? fieldsOf(reads) : [];
  const unread = key.filter((field) => !known.includes(field));
  if (unread.length > 0)
    throw new DefinitionError(
      'BAD_REDUCE',
      `reduce '${name}' groups by '${unread.join("', '")}', which it does not read`,
      'add it to `reads`',
    );
  const both = key.filter((field) => zero && field in zero);
  if (both.length > 0)
    throw new DefinitionError(
      'BAD_REDUCE',
      `reduce '${name}' has '${both.join("', '")}' in its key and in its sum`,
      'rename the one in the sum',
    );
  if (typeof into !== 'string' || into === '')
    throw new DefinitionError('BAD_REDUCE', `reduce '${name}' names no field to write`, 'give `into`');
  checkFieldNames(`reduce '${name}'`, [into, ...Object.keys(zero ?? {})]);
}
