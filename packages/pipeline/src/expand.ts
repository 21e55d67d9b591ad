import { callable, type CallOptions, type FunctionDefinition } from './definition.js';
import type { JsonOnly, Out, Schema } from './schema.js';
import type { Rec, Scope, Writers } from './symbolic-record.js';

export interface Expand<Name extends string, R, W> {
  <S extends Scope, T extends R, P>(record: Rec<S, T, P>): Rec<readonly [...S, Name], W, Writers<W, Name>>;
  readonly definition: FunctionDefinition;
}

/** Opens a scope: a record becomes its children, in order. The children carry the fields `writes`, nothing of their parent. */
export function defineExpand<const Name extends string, R extends Schema, W extends Schema>(
  name: Name,
  spec: CallOptions & {
    readonly reads: R & JsonOnly<R>;
    readonly writes: W & JsonOnly<W>;
    readonly children: (record: Readonly<Out<R>>) => readonly Out<W>[];
  },
): Expand<Name, Out<R>, Out<W>> {
  return callable({ kind: 'expand', name, effect: 'pure', ...spec } as unknown as FunctionDefinition);
}
