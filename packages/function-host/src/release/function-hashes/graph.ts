/** Who refers to whom among the items of a bundle. */
import { sha256 } from '@autoflow/topology/hash';
import { canonical, type Canonical } from './canonical.js';
import { callsImpure, hasEffect, touchesGlobals, type Known } from './effects.js';
import type { Item } from './items.js';
import { isLibrary } from './own-code.js';
import type { Packages } from './packages.js';
import { walk } from './syntax.js';

const HELPERS =
  /^__(commonJS|commonJSMin|esm|esmMin|export|exportAll|toESM|toCommonJS|copyProps|reExport|require|name|defProp|publicField)\d*$/;
const CODE_FROM_TEXT = ['eval', 'Function'];

export class Graph implements Known {
  readonly #packages: Packages;
  readonly #declaring = new Map<string, Item>();
  /** By the name that a package is imported by, the names of the top level that stand for something of it. */
  readonly #namesOf = new Map<string, string[]>();
  readonly #libraryNames: readonly string[];
  /** Items that do something when they load, with the names by which that may be noticed; undefined: by anybody. */
  readonly #effects: readonly { readonly item: Item; readonly touches: ReadonlySet<string> | undefined }[];
  readonly #assigning: readonly Item[];
  readonly #canonical = new Map<Item, Canonical & { readonly hash: string }>();
  readonly #imports = new Map<Item, readonly string[]>();

  constructor(items: readonly Item[], packages: Packages) {
    this.#packages = packages;
    for (const item of items) for (const name of item.declares) this.#declaring.set(name, item);
    for (const item of items)
      for (const source of this.#importsOf(item)) this.#namesOf.set(source, [...(this.#namesOf.get(source) ?? []), ...item.declares]);
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
    const code = all.map((item) => `${this.#hashed(item).hash} ${this.#hashed(item).refers.map(place).join(' ')}`);
    const packages = this.#packages.hashOf(all.flatMap((item) => this.#importsOf(item)));
    return sha256([...code, packages].join('\n'));
  }

  /** The definition, all it refers to, and all that may change any of this when the module loads. */
  #closure(definition: Item): Set<Item> {
    const closure = this.#reachedFrom(definition);
    for (let before = 0; before < closure.size;) {
      before = closure.size;
      const names = new Set([...closure].flatMap(({ declares }) => declares));
      const isThere = (name: string): boolean => names.has(name);
      for (const { item, touches } of this.#effects)
        if (touches === undefined || [...touches].some(isThere)) this.#reachedFrom(item, closure);
      for (const item of this.#assigning) if ([...item.assigns].some(isThere)) this.#reachedFrom(item, closure);
    }
    return closure;
  }

  /** The item and all it refers to, added to those that are reached already. */
  #reachedFrom(item: Item, reached = new Set<Item>()): Set<Item> {
    if (reached.has(item)) return reached;
    reached.add(item);
    for (const name of item.mentions) {
      const declaring = this.#declaring.get(name);
      if (declaring !== undefined) this.#reachedFrom(declaring, reached);
    }
    return reached;
  }

  /**
   * The names by which what an item does may be noticed, itself or by what it calls; undefined: by anybody. Whoever imports a package, or
   * one of its kin, notices what is done to it, each by a name of its own. A call of a library leaves no trace in it, unless it is a
   * statement, which is there for nothing else.
   */
  #touches(item: Item): ReadonlySet<string> | undefined {
    const reached = [...this.#reachedFrom(item)];
    if (reached.some((each) => touchesGlobals(each, this))) return undefined;
    const names = new Set([item, ...reached].flatMap(({ declares, mentions }) => [...declares, ...mentions]));
    const others = [...names].filter((name) => !this.isLibrary(name));
    const mayTouchLibraries = others.length < names.size && (item.kind === 'statement' || reached.some(callsImpure));
    const imported = reached.flatMap((each) => this.#importsOf(each)).filter((source) => !isLibrary(source));
    const kin = [...new Set(imported.flatMap((source) => this.#packages.kinOf(source)))];
    return new Set([
      ...others,
      ...kin.flatMap((source) => this.#namesOf.get(source) ?? []),
      ...(mayTouchLibraries ? this.#libraryNames : []),
    ]);
  }

  /** What it imports, as a name of the top level or by calling for it: `import('pg')`, `require('pg')`. */
  #importsOf(item: Item): readonly string[] {
    const known = this.#imports.get(item);
    if (known !== undefined) return known;
    const found: string[] = item.kind === 'import' ? [item.node['source'] as string] : [];
    walk(item.node, ({ type, value }) => {
      if (type === 'Literal' && typeof value === 'string' && this.#packages.has(value)) found.push(value);
    });
    this.#imports.set(item, found);
    return found;
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
