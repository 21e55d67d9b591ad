import type { Fields, Json } from '../json.js';
import { Failure } from './failure.js';
import type { PlannedNode } from './plan.js';
import { visible } from './visible.js';
import type { Bag, Item, Work } from './work.js';

/** Told, of the records that it wants, what every node was asked and what it answered. It must not throw. */
export interface Observer {
  wants(key: string): boolean;
  take(observed: ObservedNode): void;
}

/** One node and one record: a call for the record, or for each of its children in order. */
export interface ObservedNode {
  readonly node: string;
  readonly key: string;
  readonly calls: readonly ObservedCall[];
}
export interface ObservedCall {
  /** The declared fields that the handler saw; of a reduce, which folds children that others made, none. */
  readonly input?: Fields;
  readonly answer: ObservedAnswer;
}
export type ObservedAnswer =
  | { readonly fields: Fields }
  | { readonly kept: true }
  | { readonly dropped: string }
  | { readonly children: readonly Fields[] }
  | { readonly value: Json }
  | { readonly failure: { readonly terminal: boolean; readonly code: string; readonly message: string } };

/** What a node answers to an item. */
export type Answer = Fields | true | string | Bag[] | Json | Failure;

/** The works whose records the observer wants; undefined when it wants none. */
export function watchedOf(works: readonly Work[], observer: Observer | undefined): ReadonlySet<Work> | undefined {
  if (observer === undefined) return undefined;
  const watched = works.filter(({ given }) => observer.wants(given.key));
  return watched.length === 0 ? undefined : new Set(watched);
}

/** Before the answers are committed: a child that the node drops is still there. */
export function observe(
  node: PlannedNode,
  watched: ReadonlySet<Work>,
  items: readonly Item[],
  answers: readonly Answer[],
  { take }: Observer,
): void {
  const calls = new Map<Work, ObservedCall[]>();
  items.forEach(({ work, bag }, i) => {
    if (!watched.has(work)) return;
    const input = node.spec.kind === 'reduce' ? {} : { input: visible(node.spec.reads, bag) };
    const call = { ...input, answer: observed(node, answers[i] as Answer) };
    const list = calls.get(work);
    if (list) list.push(call);
    else calls.set(work, [call]);
  });
  for (const [work, list] of calls) take({ node: node.id, key: work.given.key, calls: list });
}

function observed({ spec: { kind } }: PlannedNode, answer: Answer): ObservedAnswer {
  if (answer instanceof Failure) {
    const { terminal, code, message } = answer;
    return { failure: { terminal, code, message } };
  }
  switch (kind) {
    case 'function':
      return { fields: answer as Fields };
    case 'filter':
      return answer === true ? { kept: true } : { dropped: answer as string };
    case 'expand':
      // As they are now: nodes further on add fields to the same bags.
      return { children: (answer as Bag[]).map(({ fields }) => ({ ...fields }) as Fields) };
    case 'reduce':
      return { value: answer as Json };
  }
}
