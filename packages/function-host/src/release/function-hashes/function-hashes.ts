import { parse } from 'acorn';
import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { FunctionHashes } from '@autoflow/store';
import { canonicalJson } from '@autoflow/topology/canonical-json';
import { sha256 } from '@autoflow/topology/hash';
import type { Bundle } from '../bundle.js';
import { canonical, type Canonical } from './canonical.js';
import { callsImpure, hasEffect, touchesGlobals, type Known } from './effects.js';
import { itemsOf, type Item } from './items.js';
import { isLibrary, ownCode } from './own-code.js';
import { isNode, nameOf, walk, type Node } from './syntax.js';

/** Of every pipeline and node, the hash of its function. */
export type Hasher = (specs: readonly PipelineSpec[]) => { [pipeline: string]: FunctionHashes };

/**
 * Per pipeline and node, a hash that changes whenever the function's own code may do something else: its definition, the helpers, constants
 * and resources that it reaches, whatever changes those when the module loads, the packages that the module imports, and its own
 * specification. It may change without need, never the other way round: a function that cannot be told apart has the hash of the whole
 * bundle. The bundle is read at once, the specifications when they are there.
 *
 * It is the same of TypeScript and of what a compiler makes of it, but for what compilers write each in their own way: enums, namespaces,
 * parameter properties.
 *
 * What is not seen: two handlers that talk through an object that one of them changes while it runs (a pure function has none).
 */
export async function hasherOf(bundle: Bundle): Promise<Hasher> {
  const own = await ownCode(bundle);
  const { packages } = own;
  const whole = sha256(bundle.code);
  const code = codeOf(own.code);
  const hashOf = (spec: PipelineSpec, node: NodeSpec): string =>
    sha256(canonicalJson({ $autoflow: 'function/2', packages, code: code.get(node.name) ?? whole, spec: ownSpec(spec, node) }));
  return (specs) =>
    Object.fromEntries(specs.map((spec) => [spec.name, Object.fromEntries(spec.nodes.map((node) => [node.id, hashOf(spec, node)]))]));
}

/** What a function says of itself; where it stands in the wiring is not its own. */
function ownSpec({ resources }: PipelineSpec, { kind, effect, reads, writes, uses, batched, timeoutMs, retry, memo }: NodeSpec) {
  return {
    ...{ kind, effect, batched, timeoutMs, retry: { ...retry }, ...(memo && { memo: { ...memo } }) },
    ...{ reads: reads.toSorted(), writes: writes.toSorted(), uses: uses.toSorted() },
    resources: resources
      .filter(({ name }) => uses.includes(name))
      .map((resource) => ({ ...resource, secrets: resource.secrets.toSorted() })),
  };
}

/** By the name of a function, the hash of the code that belongs to it; without those for which that cannot be told. */
function codeOf(own: Uint8Array): ReadonlyMap<string, string> {
  const text = Buffer.from(own).toString('utf8');
  let items: Item[];
  try {
    items = itemsOf(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Node);
  } catch {
    return new Map();
  }
  const graph = new Graph(items);
  const hashes = [...definitionsIn(items, graph)].map(([name, [definition, ...others]]) => {
    return [name, others.length > 0 ? undefined : graph.hashFrom(definition!)] as const;
  });
  return new Map(hashes.filter((each): each is [string, string] => each[1] !== undefined));
}

const DEFINERS = /^define(Function|Filter|Expand|Reduce)\d*$/;

/** By the name of the function, the items that define it. One that is made within a function is made from what that is called with: it counts twice. */
function definitionsIn(items: readonly Item[], known: Known): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    const within = new Set<Node>();
    walk(item.node, (node, parent) => {
      if (parent !== undefined && (within.has(parent) || /Function/.test(parent.type))) within.add(node);
      if (node.type !== 'CallExpression') return;
      const callee = node['callee'] as Node;
      const [first] = node['arguments'] as Node[];
      if (callee.type !== 'Identifier' || !DEFINERS.test(nameOf(callee)) || !known.isLibrary(nameOf(callee))) return;
      const name = isNode(first) && first.type === 'Literal' ? String(first['value']) : undefined;
      if (name === undefined) return;
      found.set(name, [...(found.get(name) ?? []), item, ...(within.has(node) || /Function/.test(node.type) ? [item] : [])]);
    });
  }
  return found;
}

const HELPERS =
  /^__(commonJS|commonJSMin|esm|esmMin|export|exportAll|toESM|toCommonJS|copyProps|reExport|require|name|defProp|publicField)\d*$/;
const CODE_FROM_TEXT = ['eval', 'Function'];

/** Who refers to whom among the items of a bundle. */
class Graph implements Known {
  readonly #declaring = new Map<string, Item>();
  readonly #libraryNames: readonly string[];
  /** Items that do something when they load, with the names by which that may be noticed; undefined: by anybody. */
  readonly #effects: readonly { readonly item: Item; readonly touches: ReadonlySet<string> | undefined }[];
  readonly #assigning: readonly Item[];
  readonly #canonical = new Map<Item, Canonical & { readonly hash: string }>();

  constructor(items: readonly Item[]) {
    for (const item of items) for (const name of item.declares) this.#declaring.set(name, item);
    this.#libraryNames = [...this.#declaring.keys()].filter((name) => this.isLibrary(name));
    this.#effects = items.filter((item) => hasEffect(item, this)).map((item) => ({ item, touches: this.#touches(item) }));
    this.#assigning = items.filter(({ assigns }) => [...assigns].some((name) => this.#declaring.has(name)));
  }

  declaring(name: string): Item | undefined {
    return this.#declaring.get(name);
  }

  isLibrary(name: string): boolean {
    const item = this.#declaring.get(name);
    return item !== undefined && ((item.kind === 'import' && isLibrary(item.node['source'] as string)) || HELPERS.test(name));
  }

  /** Undefined when it may run code that is not there to be seen. */
  hashFrom(definition: Item): string | undefined {
    const all = [...this.#closure(definition)].sort((a, b) => a.index - b.index);
    if (all.some(({ mentions }) => CODE_FROM_TEXT.some((name) => mentions.has(name) && !this.#declaring.has(name)))) return undefined;
    const position = new Map(all.map((item, i) => [item, i]));
    const place = (name: string): string => {
      const item = this.#declaring.get(name)!;
      return `${position.get(item)}.${item.declares.indexOf(name)}`;
    };
    return sha256(all.map((item) => `${this.#hashed(item).hash} ${this.#hashed(item).refers.map(place).join(' ')}`).join('\n'));
  }

  /** The definition, all it refers to, and all that may change any of this when the module loads. */
  #closure(definition: Item): Set<Item> {
    const closure = new Set<Item>();
    const names = new Set<string>();
    const add = (item: Item): void => {
      if (closure.has(item)) return;
      closure.add(item);
      for (const name of item.declares) names.add(name);
      for (const name of item.mentions) {
        const declaring = this.#declaring.get(name);
        if (declaring !== undefined) add(declaring);
      }
    };
    add(definition);
    for (let before = 0; before < closure.size;) {
      before = closure.size;
      for (const { item, touches } of this.#effects) if (touches === undefined || [...touches].some((name) => names.has(name))) add(item);
      for (const item of this.#assigning) if ([...item.assigns].some((name) => names.has(name))) add(item);
    }
    return closure;
  }

  /**
   * The names by which what an item does may be noticed; undefined: by anybody. A call of a library leaves no trace in it, unless it is a
   * statement, which is there for nothing else: then whoever imports a library may notice, each by a name of its own.
   */
  #touches(item: Item): ReadonlySet<string> | undefined {
    if (touchesGlobals(item, this)) return undefined;
    const mentions = [...item.mentions].filter((name) => !HELPERS.test(name));
    const others = mentions.filter((name) => !this.isLibrary(name));
    const mayTouchLibraries = others.length < mentions.length && (item.kind === 'statement' || callsImpure(item));
    return new Set(mayTouchLibraries ? [...mentions, ...this.#libraryNames] : others);
  }

  #hashed(item: Item): Canonical & { readonly hash: string } {
    const known = this.#canonical.get(item);
    if (known !== undefined) return known;
    const made = canonical(item, (name) => this.#declaring.has(name));
    const hashed = { ...made, hash: sha256(made.text) };
    this.#canonical.set(item, hashed);
    return hashed;
  }
}
