import {
  defineExpand,
  defineFilter,
  defineFunction,
  defineReduce,
  defineResource,
  join,
  type Fields,
  type Rec,
  type Resource,
} from '@autoflow/pipeline';
import { z } from 'zod';
import { answer, digest, type Subject, type World } from './behaviour.js';
import type { Call } from './executable-pipeline.js';

/** What the handlers find outside: a world per run, and what is known of the wiring only when it is done. */
export interface Outside {
  world: World;
  /** Names of the calls that write through a resource. */
  readonly writers: Map<string, Set<string>>;
}

/** Numbers, the sums of reduces, and the text that identifies a record or a child. */
export const VALUE = z.union([z.number(), z.string(), z.object({ n: z.number() })]);

/** What can be called on: one symbolic record, or several to be joined. */
interface Point {
  readonly recs: readonly Rec[];
  readonly scope: readonly string[];
  readonly fields: readonly string[];
  /** The field that holds the identity. */
  readonly identity: string;
  /** Filters of the record that it has passed. */
  readonly filters: ReadonlySet<Rec>;
  /** What the innermost open expand was called on. */
  readonly parent?: Point;
}

type Context = { readonly keys?: readonly string[] };

/** Calls functions on symbolic records as numbers say, and keeps to the rules of wiring. */
export class Wiring {
  private readonly points: Point[];
  private readonly open = new Set<Rec>();
  private readonly filters = new Set<Rec>();
  private readonly resources: { readonly [name in 'db' | 'http']: Resource<unknown> };
  private count = 0;
  private written = false;

  constructor(
    input: Rec,
    private readonly outside: Outside,
    limit: number,
  ) {
    this.points = [{ recs: [input], scope: [], fields: ['key', 'a', 'b', 'c'], identity: 'key', filters: new Set() }];
    const resource = (name: string): Resource<unknown> => defineResource({ name, limit: { concurrency: limit }, open: () => ({}) });
    this.resources = { db: resource('db'), http: resource('http') };
  }

  call(one: Call): void {
    const on = this.pick(one);
    const atRoot = on.scope.length === 0;
    const kind = (one.kind === 'reduce' && atRoot) || (one.kind === 'filter' && atRoot && this.written) ? 'function' : one.kind;
    if (kind === 'function') this.function(one, on);
    else if (kind === 'filter') this.filter(one, on);
    else if (kind === 'expand') this.expand(one, on);
    else this.reduce(one, on);
  }

  /** Reduces what is open, the innermost first, and joins everything. */
  end(): Rec {
    for (;;) {
      const inside = this.points.filter(({ scope, recs }) => scope.length > 0 && recs.some((rec) => this.open.has(rec)));
      const deepest = inside.toSorted((a, b) => b.scope.length - a.scope.length)[0];
      if (!deepest) break;
      const together = inside.filter(({ scope }) => scope.join() === deepest.scope.join()).reduce(both);
      this.reduce({ ...PLAIN, reads: [0, 1] }, together);
    }
    return joined(this.points.filter(({ scope }) => scope.length === 0).reduce(both));
  }

  private pick({ on, with: other }: Call): Point {
    const first = at(this.points, on);
    const beside = this.points.filter(({ scope }) => scope.join() === first.scope.join());
    return other === undefined ? first : both(first, at(beside, other));
  }

  private function(one: Call, found: Point): void {
    const wanted = one.effect === 'write' || one.effect === 'idempotent-write';
    const [filtered] = this.points;
    const on =
      wanted && found.scope.length === 0 && filtered ? { ...found, recs: union(found.recs, this.filters), filters: this.filters } : found;
    // A write behind a filter that it has not passed would write what the filter drops.
    const effect = wanted && [...this.filters].some((rec) => !on.filters.has(rec)) ? 'read' : one.effect;
    const id = this.id('function');
    const fields = Array.from({ length: one.writes }, (_, i) => `${id}-${i}`);
    const uses = effect === 'pure' ? [] : one.uses;
    const writes = effect === 'write' || effect === 'idempotent-write';
    this.written ||= writes;

    const handle = (reads: Fields, key: string | undefined): Fields => {
      const { world } = this.outside;
      const subject = subjectOf(reads, on);
      world.stumble(id, subject, one);
      const seen = uses.map((name) => world.look(this.outside.writers.get(name) ?? new Set(), subject));
      if (writes) world.write(id, identityOf(reads, on), key ?? '', digest([reads as never, ...seen]));
      return Object.fromEntries(fields.map((field) => [field, answer(id, field, { ...reads, seen })]));
    };
    const handleBatch = (all: readonly Fields[], { keys }: Context): (Fields | Error)[] =>
      all.map((reads, i) => {
        try {
          return handle(reads, keys?.[i]);
        } catch (error) {
          return error as Error; // in the record's place: it fails that record alone
        }
      });
    const made = defineFunction(id, {
      effect,
      // A sink knows what it writes: its rows are compared by record.
      reads: this.reads(writes ? { ...one, blind: false } : one, on),
      writes: schema(fields),
      uses: Object.fromEntries(uses.map((name) => [name, this.resources[name]])),
      ...(effect === 'write' ? {} : { retry: RETRY }),
      ...(effect === 'read' && one.memo ? { memo: { ttlMs: 1e9 } } : {}),
      ...(one.batched ? { handleBatch } : { handle: (reads: Fields, { keys }: Context) => handle(reads, keys?.[0]) }),
    } as never);
    const rec = this.called(made, on);
    this.points.push({ ...on, recs: [rec], fields: [...on.fields, ...fields] });
  }

  private filter(one: Call, on: Point): void {
    const id = this.id('filter');
    const keep = (reads: Fields): true | string => {
      this.outside.world.stumble(id, subjectOf(reads, on), one);
      const n = digest([id, reads as never]);
      return n % 100 < one.drops ? `reason ${n % 3}` : true;
    };
    const rec = this.called(defineFilter(id, { reads: this.reads(one, on), keep, retry: RETRY } as never), on);
    if (on.scope.length === 0) this.filters.add(rec);
    this.points.push({ ...on, recs: [rec], filters: on.scope.length === 0 ? new Set([...on.filters, rec]) : on.filters });
  }

  private expand(one: Call, on: Point): void {
    const id = this.id('expand');
    const identity = `${id}-id`;
    const fields = [identity, ...Array.from({ length: 1 + one.writes }, (_, i) => `${id}-${i}`)];
    const children = (reads: Fields): Fields[] => {
      const parent = identityOf(reads, on);
      this.outside.world.stumble(id, { identity: parent, reads }, one);
      return Array.from({ length: answer(id, 'length', reads) % 4 }, (_, i) =>
        Object.fromEntries(
          fields.map((field) => [field, field === identity ? `${parent}/${id}.${i}` : answer(id, field, { ...reads, i })]),
        ),
      );
    };
    // Children are named after their parent.
    const sees = this.reads({ ...one, blind: false }, on);
    const rec = this.called(defineExpand(id, { reads: sees, writes: schema(fields), children, retry: RETRY } as never), on);
    this.points.push({ recs: [rec], scope: [...on.scope, id], fields, identity, filters: on.filters, parent: on });
  }

  private reduce(one: Call, on: Point): void {
    const id = this.id('reduce');
    const add = ({ n }: { n: number }, child: Fields): { n: number } => {
      this.outside.world.stumble(id, subjectOf(child, on), one);
      return { n: n + (digest([id, child as never]) % 1_000) };
    };
    const merge = (a: { n: number }, b: { n: number }): { n: number } => ({ n: a.n + b.n });
    const definition = { reads: this.reads(one, on), into: `${id}-sum`, zero: { n: 0 }, add, merge, retry: RETRY };
    const rec = this.called(defineReduce(id, definition as never), on);
    const { parent } = on;
    if (parent)
      this.points.push({ ...parent, recs: union(parent.recs, [rec]), fields: [...parent.fields, `${id}-sum`], filters: on.filters });
  }

  private called(made: unknown, on: Point): Rec {
    const rec = (made as (record: Rec) => Rec)(joined(on));
    for (const before of on.recs) this.open.delete(before);
    this.open.add(rec);
    return rec;
  }

  private reads({ reads, blind }: Call, { fields, identity }: Point): z.ZodObject {
    return schema([...new Set([...(blind ? [] : [identity]), ...reads.map((n) => at(fields, n))])]);
  }

  private id(kind: string): string {
    return `${kind}-${this.count++}`;
  }
}

const RETRY = { maximumAttempts: 3 };
const PLAIN: Call = {
  kind: 'reduce',
  effect: 'pure',
  on: 0,
  reads: [],
  writes: 0,
  uses: [],
  batched: false,
  memo: false,
  blind: false,
  promised: true,
  fails: 0,
  stumbles: 0,
  drops: 0,
};

function subjectOf(reads: Fields, on: Point): Subject {
  return { identity: on.identity in reads ? identityOf(reads, on) : undefined, reads };
}

function identityOf(reads: Fields, { identity }: Point): string {
  return String(reads[identity]);
}

function schema(fields: readonly string[]): z.ZodObject {
  return z.object(Object.fromEntries(fields.map((field) => [field, VALUE])));
}

function joined({ recs: [first, ...rest] }: Point): Rec {
  if (!first) throw new Error('there is nothing to call on');
  return rest.length === 0 ? first : (join as (...recs: Rec[]) => Rec)(first, ...rest);
}

function both(a: Point, b: Point): Point {
  return { ...a, recs: union(a.recs, b.recs), fields: union(a.fields, b.fields), filters: new Set([...a.filters, ...b.filters]) };
}

function union<T>(a: Iterable<T>, b: Iterable<T>): T[] {
  return [...new Set([...a, ...b])];
}

function at<T>(items: readonly T[], n: number): T {
  const item = items[n % items.length];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}
