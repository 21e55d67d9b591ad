import { DefinitionError } from './definition-error.js';
import { addNode, type GraphNode } from './graph.js';
import { nodeOf, recordOf, type Disjoint, type Rec, type Scope } from './symbolic-record.js';

/** The same record with the fields of all branches. A record dropped in one branch is dropped. */
export function join<S extends Scope, A, WA, B, WB>(a: Rec<S, A, WA>, b: Rec<S, B, WB> & Disjoint<WA, WB>): Rec<S, A & B, WA & WB>;
export function join<S extends Scope, A, WA, B, WB, C, WC>(
  a: Rec<S, A, WA>,
  b: Rec<S, B, WB> & Disjoint<WA, WB>,
  c: Rec<S, C, WC> & Disjoint<WA & WB, WC>,
): Rec<S, A & B & C, WA & WB & WC>;
export function join(...branches: Rec[]): Rec {
  const [first, ...rest] = branches.map((branch) => nodeOf(branch, 'join')) as [GraphNode?, ...GraphNode[]];
  if (!first) throw new DefinitionError('NOT_A_SYMBOLIC_RECORD', 'join got nothing', 'give it two or three records');
  return recordOf(addNode({ kind: 'join' }, [first, ...rest]));
}
