import { definePipeline, specOf, type AnyPipeline, type Effect, type FunctionKind, type PipelineSpec, type Rec } from '@autoflow/pipeline';
import fc from 'fast-check';
import { z } from 'zod';
import { World, type Behaviour } from './behaviour.js';
import { VALUE, Wiring, type Outside } from './wiring.js';

/** One call, in plain numbers, so that a failing pipeline shrinks to few and simple calls. */
export interface Call extends Behaviour {
  readonly kind: FunctionKind;
  readonly effect: Effect;
  /** Which of the records at hand it is called on, and which one is joined to it. */
  readonly on: number;
  readonly with?: number | undefined;
  /** Positions among the fields at hand. */
  readonly reads: readonly number[];
  /** Fields it adds, besides the first of an expand. */
  readonly writes: number;
  readonly uses: readonly ('db' | 'http')[];
  readonly batched: boolean;
  readonly memo: boolean;
  /** Does not read the identity, unless by `reads`, and so does not know what it is called for. Expands and sinks read it all the same. */
  readonly blind: boolean;
  /** What it writes to the record is part of the output. */
  readonly promised: boolean;
}

/** A pipeline with code, and the way to run it anew. */
export interface Executable {
  readonly pipeline: AnyPipeline;
  readonly spec: PipelineSpec;
  /** The pipeline's handlers find everything outside here; set a fresh one before every run. */
  readonly outside: Outside;
}

const share = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max }));
const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom<FunctionKind>('function', 'function', 'function', 'filter', 'filter', 'expand', 'reduce'),
  effect: fc.constantFrom<Effect>('pure', 'pure', 'read', 'read', 'read', 'idempotent-write', 'write'),
  on: fc.nat(99),
  with: fc.option(fc.nat(99), { nil: undefined }),
  reads: fc.array(fc.nat(99), { maxLength: 3 }),
  writes: fc.nat(2),
  uses: fc.subarray<'db' | 'http'>(['db', 'http']),
  batched: fc.boolean(),
  // Only a blind read that remembers can answer one record with what it has answered another.
  memo: fc.constantFrom(true, true, true, false),
  blind: fc.boolean(),
  promised: fc.boolean(),
  fails: share(12),
  stumbles: share(2),
  drops: share(50),
});

/** Random pipelines through the definition language, with deterministic handlers: failing, dropping, expanding, writing ones. */
export function arbitraryExecutable({ maxCalls = 9 }: { readonly maxCalls?: number } = {}): fc.Arbitrary<Executable> {
  return fc.array(call, { minLength: 1, maxLength: maxCalls }).map(executable);
}

/** What a call does not say is the plainest. */
export function calls(...given: readonly Partial<Call>[]): Executable {
  const plain: Call = {
    kind: 'function',
    effect: 'pure',
    on: 0,
    with: undefined,
    reads: [],
    writes: 1,
    uses: [],
    batched: false,
    memo: false,
    blind: false,
    promised: true,
    fails: 0,
    stumbles: 0,
    drops: 0,
  };
  return executable(given.map((one) => ({ ...plain, ...one })));
}

/** Every call is named after its kind and position (`function-0`); it fits itself to what is possible where it stands. */
export function executable(given: readonly Call[]): Executable {
  // What a pipeline promises and what its resources allow is said before it is wired: the first time tells what to say.
  const { spec } = define(given, { output: ['key'], limit: 99 });
  const promised = spec.nodes.flatMap(({ id, kind, scope, writes }) => {
    const toRecord = scope.length === (kind === 'reduce' ? 1 : 0) && kind !== 'expand';
    // Beyond the calls given are the reduces that close what was left open: their sums are promised.
    return toRecord && (given[positionOf(id)]?.promised ?? true) ? writes : [];
  });
  return define(given, { output: ['key', ...promised], limit: 1 + spec.nodes.filter(({ uses }) => uses.length > 0).length });
}

function positionOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

function define(given: readonly Call[], { output, limit }: { readonly output: readonly string[]; readonly limit: number }): Executable {
  const outside: Outside = { world: new World(), writers: new Map() };
  const input = z.object({ key: z.string(), a: z.number(), b: z.number(), c: z.number() });
  const promised = z.object(Object.fromEntries(output.map((field) => [field, VALUE])));
  const wire = (record: Rec): Rec => {
    const wiring = new Wiring(record, outside, limit);
    for (const one of given) wiring.call(one);
    return wiring.end();
  };
  const pipeline = (definePipeline as unknown as Define)('random', { input, key: 'key', output: promised }, wire);
  const spec = specOf(pipeline);
  for (const { id, effect, uses } of spec.nodes)
    if (effect === 'write' || effect === 'idempotent-write')
      for (const name of uses) outside.writers.set(name, (outside.writers.get(name) ?? new Set()).add(id));
  return { pipeline, spec, outside };
}

type Define = (name: string, spec: { input: z.ZodObject; key: string; output: z.ZodObject }, wire: (record: Rec) => Rec) => AnyPipeline;
