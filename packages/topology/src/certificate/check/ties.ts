import type { Fields, NodeSpec, PipelineSpec } from '@autoflow/pipeline';

/** What is known of an ordered pair of calls: which laws tie the second behind the first, and the facts of every law. */
export interface PairFacts {
  readonly tiedBy: ReadonlySet<string>;
  readonly facts: { readonly [law: string]: Fields };
}

/** The calls of a pipeline, read by tracing every field to its writer and every record to the calls that it has passed. */
export class Ties {
  private readonly nodes: ReadonlyMap<string, NodeSpec>;
  private readonly rank: ReadonlyMap<string, number>;
  private readonly passed = new Map<string, Set<string>>();
  /** By scope and field; a field is written once. */
  private readonly writer = new Map<string, string>();

  constructor(readonly spec: PipelineSpec) {
    this.nodes = new Map(spec.nodes.map((node) => [node.id, node]));
    this.rank = new Map(spec.nodes.map(({ id }, i) => [id, i]));
    for (const node of spec.nodes) {
      const passed = new Set(node.inputs);
      for (const input of node.inputs) for (const id of this.passed.get(input) ?? []) passed.add(id);
      this.passed.set(node.id, passed);
      for (const field of node.writes) this.writer.set(place(resultScope(node), field), node.id);
    }
  }

  node(id: string): NodeSpec | undefined {
    return this.nodes.get(id);
  }

  ranks(a: string, b: string): [number, number] {
    return [this.rank.get(a) ?? -1, this.rank.get(b) ?? -1];
  }

  /** Pairs that every legal topology keeps in order. */
  *all(): Iterable<readonly [string, string, ReadonlySet<string>]> {
    for (const [i, { id: a }] of this.spec.nodes.entries())
      for (const { id: b } of this.spec.nodes.slice(i + 1)) {
        const { tiedBy } = this.between(a, b);
        if (tiedBy.size > 0) yield [a, b, tiedBy];
      }
  }

  /** Of two calls, the first of which is written first. */
  between(idA: string, idB: string): PairFacts {
    const [a, b] = [this.nodes.get(idA), this.nodes.get(idB)];
    if (!a || !b) return { tiedBy: new Set(), facts: {} };
    const upstream = this.passed.get(idB)?.has(idA) ?? false;
    const effects = [a.effect, b.effect];
    const sinks = effects.map((effect) => effect !== 'pure' && effect !== 'read');
    const drops = [a, b].map(({ kind, scope }) => kind === 'filter' && scope.length === 0);
    const tiedBy = new Set<string>();
    const tie = (law: string, when: boolean): unknown => when && tiedBy.add(law);

    tie('fields-disjoint', upstream && b.reads.some((field) => this.writer.get(place(b.scope, field)) === idA));
    tie('scope-open', a.kind === 'expand' && b.scope.indexOf(idA) >= 0);
    tie('children-visible', upstream && a.kind === 'filter' && !drops[0] && place(a.scope, '') === place(b.scope, ''));
    tie('filter-before-write', drops[0] === true && sinks[1] === true);
    tie('filter-order', drops[0] === true && drops[1] === true);
    tie('write-order', sinks[0] === true && sinks[1] === true);
    tie('resources-disjoint', sinks.includes(true) && new Set([...a.uses, ...b.uses]).size < new Set(a.uses).size + new Set(b.uses).size);
    tie('write-behind', upstream && sinks[1] === true);

    const sameScope = place(resultScope(a), '') === place(b.scope, '');
    const facts = {
      'fields-disjoint': { writes: a.writes, reads: b.reads, upstream, sameScope },
      'scope-open': { kind: a.kind, scope: b.scope },
      'children-visible': { kind: a.kind, scopes: [a.scope, b.scope], upstream },
      'filter-before-write': { kind: a.kind, scope: a.scope, effect: b.effect },
      'filter-order': { kinds: [a.kind, b.kind], scopes: [a.scope, b.scope] },
      'write-order': { effects },
      'resources-disjoint': { uses: [a.uses, b.uses], effects },
      'write-behind': { effect: b.effect, upstream },
    };
    return { tiedBy, facts };
  }
}

function resultScope({ id, kind, scope }: NodeSpec): readonly string[] {
  if (kind === 'expand') return scope.concat(id);
  return kind === 'reduce' ? scope.slice(0, scope.length - 1) : scope;
}

function place(scope: readonly string[], field: string): string {
  return JSON.stringify([scope, field]);
}
