import { parse } from 'acorn';
import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { FunctionHashes } from '@autoflow/store';
import { canonicalJson } from '@autoflow/topology/canonical-json';
import { sha256 } from '@autoflow/topology/hash';
import type { Bundle } from '../bundle.js';
import type { Known } from './effects.js';
import { Graph } from './graph.js';
import { itemsOf, type Item } from './items.js';
import { ownCode, type OwnCode } from './own-code.js';
import { isNode, nameOf, walk, type Node } from './syntax.js';

/** Of every pipeline and node, the hash of its function. */
export type Hasher = (specs: readonly PipelineSpec[]) => { [pipeline: string]: FunctionHashes };

/**
 * Per pipeline and node, a hash that changes whenever the function's own code may do something else: its definition, the helpers, constants
 * and resources that it reaches, whatever changes those when the module loads, the packages among them with all that comes with these, and
 * its own specification. It may change without need, never the other way round: a function that cannot be told apart has the hash of the whole
 * bundle. The bundle is read at once, the specifications when they are there.
 *
 * It is the same of TypeScript and of what a compiler makes of it, but for what compilers write each in their own way: enums, namespaces,
 * parameter properties.
 *
 * What is not seen: two handlers that talk through an object that one of them changes while it runs (a pure function has none), and a
 * package that changes what is global, unless it is imported for nothing else.
 */
export async function hasherOf(bundle: Bundle): Promise<Hasher> {
  const whole = sha256(bundle.code);
  const code = codeOf(await ownCode(bundle));
  const hashOf = (spec: PipelineSpec, node: NodeSpec): string =>
    sha256(canonicalJson({ $autoflow: 'function/3', code: code.get(node.name) ?? whole, spec: ownSpec(spec, node) }));
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
function codeOf({ code, packages }: OwnCode): ReadonlyMap<string, string> {
  const text = Buffer.from(code).toString('utf8');
  let items: Item[];
  try {
    items = itemsOf(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Node);
  } catch {
    return new Map();
  }
  const graph = new Graph(items, packages);
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
