import type { Fields, Json } from '../json.js';
import { named, takeFields, takeValue } from './answers.js';
import { Calls } from './calls.js';
import type { RunOptions } from './contract.js';
import { Failure } from './failure.js';
import { deepFreeze } from './json-values.js';
import type { PlannedNode } from './plan.js';
import { visible } from './visible.js';
import type { Bag, Item } from './work.js';

/** Asks one item after the other. */
async function each<T>(node: PlannedNode, items: readonly Item[], options: RunOptions, ask: (item: Item, calls: Calls) => T): Promise<T[]> {
  const calls = new Calls(node, options);
  const answers: T[] = [];
  for (const item of items) {
    const pause = calls.breathe();
    if (pause) await pause;
    answers.push(ask(item, calls));
  }
  return answers;
}

/** `true` keeps, a text drops. */
export function applyFilter(node: PlannedNode, items: readonly Item[], options: RunOptions): Promise<(true | string | Failure)[]> {
  return each(node, items, options, ({ bag }, calls) => {
    const input = visible(node.spec.reads, bag);
    const answer = calls.sync(() => node.definition.keep?.(input));
    if (answer === true || typeof answer === 'string' || answer instanceof Failure) return answer;
    return Failure.wrongAnswer(
      `the filter '${node.id}' answered ${named(answer)}; answer true, or the reason for dropping the record as text`,
    );
  });
}

/** The children of each item. */
export function applyExpand(node: PlannedNode, items: readonly Item[], options: RunOptions): Promise<(Bag[] | Failure)[]> {
  return each(node, items, options, ({ bag }, calls) => {
    const input = visible(node.spec.reads, bag);
    const answer = calls.sync(() => node.definition.children?.(input));
    if (answer instanceof Failure) return answer;
    if (!Array.isArray(answer))
      return Failure.wrongAnswer(`the expand '${node.id}' answered ${named(answer)}; answer the list of children`);
    const children: Bag[] = [];
    for (const child of answer as readonly unknown[]) {
      const fields = takeFields(node, child, options.strict);
      if (fields instanceof Failure) return fields;
      children.push({ fields: { ...fields } });
    }
    return children;
  });
}

/** The field that a reduce writes to each parent: groups sorted by the JSON of their key, or the one sum where there is no key. */
export function applyReduce(node: PlannedNode, parents: readonly Item[], options: RunOptions): Promise<(Json | Failure)[]> {
  return each(node, parents, options, ({ bag, work }, calls) => {
    const children = work.visibleChildren(node, bag, node.path.length).map((child) => visible(node.spec.reads, child));
    const value = calls.sync(() => fold(node, children));
    return value instanceof Failure ? value : takeValue(node.id, value, `field '${node.definition.into}'`);
  });
}

function fold({ id, definition }: PlannedNode, children: readonly Fields[]): unknown {
  const { key = [], add } = definition;
  const zero = deepFreeze(definition.zero as Fields);
  // Frozen, so that an `add` that writes into its sum fails at once instead of changing `zero` for the next record.
  const plus = (sum: Fields, child: Fields): Fields => checkedSum(id, zero, Object.freeze(add?.(sum, child)));
  if (key.length === 0) return children.reduce(plus, zero);

  const groups = new Map<string, { readonly key: Fields; readonly sum: Fields }>();
  for (const child of children) {
    const group = Object.fromEntries(key.map((field) => [field, child[field]]));
    const name = JSON.stringify(group);
    groups.set(name, { key: group, sum: plus(groups.get(name)?.sum ?? zero, child) });
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => ({ ...group.key, ...group.sum }));
}

function checkedSum(id: string, zero: Fields, sum: unknown): Fields {
  if (typeof sum !== 'object' || sum === null || Array.isArray(sum))
    throw Failure.wrongAnswer(`the reduce '${id}' added up to ${named(sum)}; answer a sum with the fields of zero`);
  for (const field in zero)
    if (zero[field] !== undefined && (sum as Fields)[field] === undefined)
      throw Failure.wrongAnswer(`the reduce '${id}' lost '${field}' of its sum; answer a sum with the fields of zero`);
  return sum as Fields;
}
