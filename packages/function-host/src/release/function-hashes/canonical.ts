import type { Item } from './items.js';
import { isNode, isPlainName, nameOf, type Node } from './syntax.js';

export interface Canonical {
  /** The item without positions, comments, white space and the names that the bundler chose. */
  readonly text: string;
  /** Names of the top level that `@0`, `@1`, … stand for. */
  readonly refers: readonly string[];
}

const MEANINGLESS = ['type', 'start', 'end', 'raw', 'shorthand', 'directive', 'sourceType'];

/** Names of the bundle are numbered, because the bundler renames one where another comes to be called the same; what is global keeps its name. */
export function canonical(item: Item, isTopLevel: (name: string) => boolean): Canonical {
  const refers = new Map<string, number>();
  const locals = new Map<string, number>();
  const numbered = (names: Map<string, number>, name: string): number => {
    if (!names.has(name)) names.set(name, names.size);
    return names.get(name)!;
  };
  const bound = (name: string): string =>
    isTopLevel(name) ? `@${numbered(refers, name)}` : item.locals.has(name) ? `$${numbered(locals, name)}` : JSON.stringify(name);

  const text = (value: unknown, parent?: Node, property = ''): string => {
    if (Array.isArray(value)) return `[${(value as unknown[]).map((each) => text(each, parent, property)).join()}]`;
    if (!isNode(value)) return plain(value);
    if (value.type === 'Identifier') return isPlainName(parent, property) ? JSON.stringify(nameOf(value)) : bound(nameOf(value));
    if (value.type === 'Literal') return literal(value);
    const parts = Object.entries(value).flatMap(([key, part]) => (MEANINGLESS.includes(key) ? [] : [`${key}:${text(part, value, key)}`]));
    return `${value.type}{${parts.join()}}`;
  };
  return { text: text(item.node), refers: [...refers.keys()] };
}

function literal(node: Node): string {
  if (node['regex'] !== undefined) return `/${JSON.stringify(node['regex'])}`;
  if (node['bigint'] !== undefined) return `${String(node['bigint'])}n`;
  return `'${JSON.stringify(node['value'])}`;
}

/** `raw` and `cooked` of a piece of a template, and flags. */
function plain(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
