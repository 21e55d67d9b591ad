import { callable, type CallOptions, type FunctionDefinition } from './definition.js';
import type { JsonOnly, Out, Schema } from './schema.js';
import type { Rec, Scope } from './symbolic-record.js';

export interface Filter<R> {
  <S extends Scope, T extends R, P>(record: Rec<S, T, P>): Rec<S, T, P>;
  readonly definition: FunctionDefinition;
}

/**
 * Keeps a record when `keep` says `true`; otherwise drops it, and the text is the reason users see. Called on children, it drops children
 * for the functions behind it; called on the record itself, it ends the record.
 */
export function defineFilter<const Name extends string, R extends Schema>(
  name: Name,
  spec: CallOptions & { readonly reads: R & JsonOnly<R>; readonly keep: (record: Readonly<Out<R>>) => true | string },
): Filter<Out<R>> {
  return callable({ kind: 'filter', name, effect: 'pure', ...spec } as unknown as FunctionDefinition);
}
