import type { ChildState, Death, RecordState } from '../record-state.js';
import type { PipelineSpec } from '../spec.js';

/**
 * Brings together what parts and branches made of a batch: one state per record, in order of index. Fields, children and drops are
 * united; filtered beats dying; of several filters or deaths the first as written counts, so the order of the lists changes nothing.
 */
export function mergeStates(lists: readonly (readonly RecordState[])[], spec: Pick<PipelineSpec, 'nodes'>): RecordState[] {
  const rank = new Map(spec.nodes.map(({ id }, i) => [id, i]));
  const merged = new Map<number, RecordState>();
  for (const list of lists)
    for (const state of list) {
      const other = merged.get(state.index);
      merged.set(state.index, other ? mergeTwo(other, state, (id) => rank.get(id) ?? rank.size) : state);
    }
  return [...merged.values()].sort((a, b) => a.index - b.index);
}

function mergeTwo(a: RecordState, b: RecordState, rank: (id: string) => number): RecordState {
  const filtered = first(a.filtered, b.filtered, ({ by }) => rank(by));
  const death = first(a.death, b.death, (one: Death) => rank(one.in));
  const failed = [...new Set([...(a.failed ?? []), ...(b.failed ?? [])])].sort((x, y) => rank(x) - rank(y));
  const retry = a.retry ?? b.retry;
  return {
    index: a.index,
    key: a.key,
    arrivedAt: a.arrivedAt,
    fields: { ...a.fields, ...b.fields },
    ...mergeChildren(a.children, b.children),
    ...(filtered ? { filtered } : death ? { death, ...(failed.length > 0 ? { failed } : {}) } : {}),
    ...(retry ? { retry } : {}),
  };
}

function first<T extends object>(a: T | undefined, b: T | undefined, rank: (one: T) => number): T | undefined {
  return a && b ? (rank(b) < rank(a) ? b : a) : (a ?? b);
}

type Families = { readonly [expand: string]: readonly ChildState[] };

function mergeChildren(a: Families | undefined, b: Families | undefined): { children?: Families } {
  if (!a || !b) return (a ?? b) ? { children: (a ?? b) as Families } : {};
  const children: { [expand: string]: readonly ChildState[] } = { ...a };
  for (const [expand, theirs] of Object.entries(b)) {
    const ours = a[expand];
    children[expand] = ours ? ours.map((child, i) => mergeChild(child, theirs[i] as ChildState)) : theirs;
  }
  return { children };
}

function mergeChild(a: ChildState, b: ChildState): ChildState {
  const droppedBy = [...new Set([...(a.droppedBy ?? []), ...(b.droppedBy ?? [])])];
  return { fields: { ...a.fields, ...b.fields }, ...mergeChildren(a.children, b.children), ...(droppedBy.length > 0 ? { droppedBy } : {}) };
}
