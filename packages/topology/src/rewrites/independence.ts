import type { Fields, NodeSpec } from '@autoflow/pipeline';
import type { Topology } from '../topology.js';
import { lostOrder, relationsOf } from './relations.js';
import type { Condition, Context } from './rewrite.js';

/** Two calls, the first of which was written first and shall no longer be done before the second. */
interface Pair {
  readonly first: NodeSpec;
  readonly second: NodeSpec;
  /** The records of the second have passed the first, as written. */
  readonly upstream: boolean;
}
interface Law {
  readonly condition: string;
  broken(pair: Pair): boolean;
  facts(pair: Pair): Fields;
}

/**
 * What may tie two calls to their order. All are read off the definition, so a pair that no law ties is free in every topology.
 * `write-behind` keeps what a function refuses out of the sinks: a write that was written behind it must not have run by then, though it reads
 * nothing of it.
 */
const laws: readonly Law[] = [
  {
    condition: 'fields-disjoint',
    broken: (pair) => pair.upstream && sameScope(pair) && common(pair.first.writes, pair.second.reads).length > 0,
    facts: (pair) => ({ writes: pair.first.writes, reads: pair.second.reads, upstream: pair.upstream, sameScope: sameScope(pair) }),
  },
  {
    condition: 'scope-open',
    broken: ({ first, second }) => first.kind === 'expand' && second.scope.includes(first.id),
    facts: ({ first, second }) => ({ kind: first.kind, scope: second.scope }),
  },
  {
    condition: 'children-visible',
    broken: ({ first, second, upstream }) =>
      upstream && first.kind === 'filter' && first.scope.length > 0 && equal(first.scope, second.scope),
    facts: ({ first, second, upstream }) => ({ kind: first.kind, scopes: [first.scope, second.scope], upstream }),
  },
  {
    condition: 'filter-before-write',
    broken: ({ first, second }) => isRootFilter(first) && writes(second),
    facts: ({ first, second }) => ({ kind: first.kind, scope: first.scope, effect: second.effect }),
  },
  {
    condition: 'filter-order',
    broken: ({ first, second }) => isRootFilter(first) && isRootFilter(second),
    facts: ({ first, second }) => ({ kinds: [first.kind, second.kind], scopes: [first.scope, second.scope] }),
  },
  {
    condition: 'write-order',
    broken: ({ first, second }) => writes(first) && writes(second),
    facts: ({ first, second }) => ({ effects: [first.effect, second.effect] }),
  },
  {
    condition: 'resources-disjoint',
    broken: ({ first, second }) => (writes(first) || writes(second)) && common(first.uses, second.uses).length > 0,
    facts: ({ first, second }) => ({ uses: [first.uses, second.uses], effects: [first.effect, second.effect] }),
  },
  {
    condition: 'write-behind',
    broken: ({ second, upstream }) => upstream && writes(second),
    facts: ({ second, upstream }) => ({ effect: second.effect, upstream }),
  },
];

/** For every pair of calls whose order is lost by going from the context's topology to another: each law, and why it does not tie them. */
export function independence({ spec, topology }: Context, next: Topology): Condition[] {
  const { node, rank, upstream } = relationsOf(spec);
  return lostOrder(topology, next).flatMap(([x, y]): Condition[] => {
    const on = [x, y];
    // Whatever ties two calls points from the one written first to the other.
    if (rank(x) > rank(y)) return [{ condition: 'written-later', on, holds: true, facts: { ranks: [rank(x), rank(y)] } }];
    const pair = { first: node(x), second: node(y), upstream: upstream(x, y) };
    return laws.map(({ condition, broken, facts }) => ({ condition, on, holds: !broken(pair), facts: facts(pair) }));
  });
}

function writes({ effect }: NodeSpec): boolean {
  return effect === 'write' || effect === 'idempotent-write';
}

function isRootFilter({ kind, scope }: NodeSpec): boolean {
  return kind === 'filter' && scope.length === 0;
}

/** The first writes where the second reads. */
function sameScope({ first: { kind, scope, id }, second }: Pair): boolean {
  const written = kind === 'expand' ? [...scope, id] : kind === 'reduce' ? scope.slice(0, -1) : scope;
  return equal(written, second.scope);
}

function common(a: readonly string[], b: readonly string[]): string[] {
  return a.filter((one) => b.includes(one));
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
