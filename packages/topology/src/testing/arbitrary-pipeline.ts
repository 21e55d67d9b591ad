import type { Effect, FunctionKind, NodeSpec, PipelineSpec, ResourceSpec } from '@autoflow/pipeline';
import fc from 'fast-check';

/**
 * Random pipelines that the definition language would accept: branches and joins, children (also of children) that are always closed again,
 * filters, every effect, shared resources. Each read field was written upstream; no root filter comes after a write;
 * resource limits leave room for every user. The choices are plain numbers, so a failing pipeline shrinks to few nodes.
 */
export function arbitraryPipelineSpec({ maxNodes = 12 }: { readonly maxNodes?: number } = {}): fc.Arbitrary<PipelineSpec> {
  return fc.array(choice, { minLength: 1, maxLength: maxNodes }).map(build);
}

const kinds: readonly FunctionKind[] = ['function', 'function', 'function', 'filter', 'expand', 'reduce'];
const effects: readonly Effect[] = ['pure', 'pure', 'read', 'idempotent-write', 'write'];
const resourceNames = ['db', 'http'] as const;

const choice = fc.record({
  kind: fc.constantFrom(...kinds),
  effect: fc.constantFrom(...effects),
  /** Which of the records at hand it is called on, and which one is joined to it. */
  on: fc.nat(99),
  with: fc.option(fc.nat(99), { nil: undefined }),
  reads: fc.array(fc.nat(99), { maxLength: 3 }),
  writes: fc.nat(2),
  uses: fc.subarray([...resourceNames]),
  batched: fc.boolean(),
  timeoutMs: fc.integer({ min: 100, max: 10_000 }),
  maximumAttempts: fc.integer({ min: 1, max: 10 }),
});
type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

/** A symbolic record: what can be called on it. */
interface Rec {
  readonly inputs: readonly string[];
  readonly scope: readonly string[];
  readonly fields: ReadonlySet<string>;
  /** The record that the outermost open expand was called on, and so on inwards: what a reduce goes back to. */
  readonly parents: readonly Rec[];
}

const INPUT = ['key', 'a', 'b', 'c'];

function build(choices: readonly Choice[]): PipelineSpec {
  const wiring = new Wiring();
  for (const one of choices) wiring.call(one);
  wiring.closeAll();
  const resources: ResourceSpec[] = resourceNames.map((name) => ({
    name,
    secrets: [`${name.toUpperCase()}_URL`],
    limit: { concurrency: wiring.nodes.filter((node) => node.uses.includes(name)).length + 1 },
  }));
  return {
    name: 'random',
    key: 'key',
    input: INPUT,
    output: ['key'],
    nodes: wiring.nodes,
    resources,
    schemas: { input: {}, output: {} },
  };
}

class Wiring {
  readonly nodes: NodeSpec[] = [];
  private readonly records: Rec[] = [{ inputs: [], scope: [], fields: new Set(INPUT), parents: [] }];
  private written = false;

  call(one: Choice): void {
    const on = this.pick(one);
    // A reduce needs an expand to close; a root filter must not come after a write.
    const kind =
      (one.kind === 'reduce' && on.scope.length === 0) || (one.kind === 'filter' && on.scope.length === 0 && this.written)
        ? 'function'
        : one.kind;
    const effect = kind === 'function' ? one.effect : 'pure';
    this.add(kind, on, { ...one, effect });
  }

  /** Joins what leads nowhere inside an expand into a reduce, the innermost first; loose ends outside are joined by the pipeline's return. */
  closeAll(): void {
    for (;;) {
      const inside = this.records.filter(
        (rec) => rec.scope.length > 0 && rec.inputs.every((id) => !this.nodes.some((node) => node.inputs.includes(id))),
      );
      const deepest = Math.max(...inside.map((rec) => rec.scope.length));
      const first = inside.find((rec) => rec.scope.length === deepest);
      if (first === undefined) return;
      const loose = inside.filter((rec) => rec.scope.join() === first.scope.join());
      this.add('reduce', { ...first, inputs: loose.flatMap((rec) => rec.inputs) }, { ...PLAIN, reads: [0] });
    }
  }

  private pick({ on, with: other }: Choice): Rec {
    const first = this.at(this.records, on);
    const beside = this.records.filter((rec) => rec !== first && rec.scope.join() === first.scope.join());
    if (other === undefined || beside.length === 0) return first;
    const second = this.at(beside, other);
    return {
      ...first,
      inputs: [...new Set([...first.inputs, ...second.inputs])],
      fields: new Set([...first.fields, ...second.fields]),
    };
  }

  private add(kind: FunctionKind, on: Rec, one: Choice): void {
    const id = `${kind}-${this.nodes.length}`;
    const fields = [...on.fields];
    const reads = fields.length === 0 ? [] : [...new Set(one.reads.map((n) => this.at(fields, n)))];
    const writes =
      kind === 'filter'
        ? []
        : Array.from({ length: kind === 'reduce' ? 1 : one.writes + (kind === 'expand' ? 1 : 0) }, (_, i) => `${id}-field-${i}`);
    const uses = one.effect === 'pure' ? [] : one.uses;
    const retry = {
      maximumAttempts: one.effect === 'write' ? 1 : one.maximumAttempts,
      initialIntervalMs: 100,
      backoffCoefficient: 2,
      maximumIntervalMs: 10_000,
    };
    this.nodes.push({
      id,
      name: id,
      kind,
      effect: one.effect,
      inputs: on.inputs,
      scope: on.scope,
      reads,
      writes,
      uses,
      batched: one.batched,
      timeoutMs: one.timeoutMs,
      retry,
    });
    this.written ||= one.effect === 'idempotent-write' || one.effect === 'write';
    this.records.push(this.result(kind, id, on, writes));
  }

  private result(kind: FunctionKind, id: string, on: Rec, writes: readonly string[]): Rec {
    const inputs = [id];
    if (kind === 'expand') return { inputs, scope: [...on.scope, id], fields: new Set(writes), parents: [...on.parents, on] };
    const base = kind === 'reduce' ? (on.parents.at(-1) ?? on) : on;
    return { ...base, inputs, fields: new Set([...base.fields, ...writes]) };
  }

  private at<T>(items: readonly T[], n: number): T {
    const item = items[n % items.length];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

const PLAIN: Choice = {
  kind: 'reduce',
  effect: 'pure',
  on: 0,
  with: undefined,
  reads: [],
  writes: 0,
  uses: [],
  batched: false,
  timeoutMs: 1000,
  maximumAttempts: 3,
};
