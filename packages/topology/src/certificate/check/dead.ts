import type { Arrangement } from './arrangement.js';
import type { Ties } from './ties.js';

/** What decides whether something may be left out at the end of a stage. */
export type FieldFacts = { readonly known: boolean; readonly output: boolean; readonly readers: string[] };
export type ChildrenFacts = { readonly known: boolean; readonly inside: string[] };

export function isDead(facts: FieldFacts | ChildrenFacts): boolean {
  if (!facts.known) return false;
  return 'readers' in facts ? !facts.output && facts.readers.length === 0 : facts.inside.length === 0;
}

/** A field of the record: known is what comes with it or is written to it; a reduce writes to where its expand was called. */
export function deadField(ties: Ties, arrangement: Arrangement, stage: string, field: string): FieldFacts {
  const { input, output, nodes } = ties.spec;
  const depthWrittenTo = { function: 0, filter: 0, reduce: 1, expand: -1 };
  const written = nodes.some((node) => node.scope.length === depthWrittenTo[node.kind] && node.writes.includes(field));
  const readers = later(ties, arrangement, stage).filter((node) => node.scope.length === 0 && node.reads.includes(field));
  return { known: written || input.includes(field), output: output.includes(field), readers: readers.map(({ id }) => id) };
}

export function deadChildren(ties: Ties, arrangement: Arrangement, stage: string, expand: string): ChildrenFacts {
  const opener = ties.node(expand);
  const inside = later(ties, arrangement, stage).filter((node) => node.scope.indexOf(expand) === 0);
  return { known: opener?.kind === 'expand' && opener.scope.length === 0, inside: inside.map(({ id }) => id) };
}

/** Calls in stages that start when this one is done, as written. */
function later({ spec }: Ties, { stages, earlier }: Arrangement, stage: string) {
  const ids = new Set([...stages].flatMap(([name, { nodes }]) => (earlier.get(name)?.has(stage) ? nodes : [])));
  return spec.nodes.filter(({ id }) => ids.has(id));
}
