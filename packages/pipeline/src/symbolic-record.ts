import { nodeSymbol, type GraphNode } from './graph.js';
import { DefinitionError } from './definition-error.js';
import type { WiringError } from './schema.js';

/** Whose identity a record has: `[pipeline]`, or `[pipeline, expand, …]` for the children of an expand. */
export type Scope = readonly string[];

export declare const symbolicRecord: unique symbol;

/**
 * Stands for every record that passes one point of a pipeline. It has no fields to look at: functions are called on it.
 * `S` is its identity, `T` the fields written so far, `W` which function wrote each of them.
 */
export interface Rec<out S extends Scope = Scope, out T = object, out W = unknown> {
  readonly [symbolicRecord]: { readonly scope: S; readonly fields: T; readonly writers: W };
}

export type Writers<T, Name extends string> = { readonly [K in keyof T]: Name };

export type Once<T, New> = [keyof T & keyof New] extends [never]
  ? unknown
  : WiringError<`field '${keyof T & keyof New & string}' is already written; fields are written once`>;

type Differs<A, B> = [A] extends [B] ? ([B] extends [A] ? false : true) : true;
type Contested<WA, WB> = { [K in keyof WA & keyof WB]: Differs<WA[K], WB[K]> extends true ? K : never }[keyof WA & keyof WB];
export type Disjoint<WA, WB> = [Contested<WA, WB>] extends [never]
  ? unknown
  : WiringError<`both branches write field '${Contested<WA, WB> & string}'`>;

/** Makes the symbolic record of a node. Whatever would read it, coerce it or take it apart throws with the remedy. */
export function recordOf(node: GraphNode): Rec {
  return new Proxy({}, new Untouchable(node)) as Rec;
}

/** The node behind a symbolic record; throws for anything else that a function may have been called on. */
export function nodeOf(record: unknown, caller: string): GraphNode {
  const node = typeof record === 'object' && record !== null ? (record as { [nodeSymbol]?: GraphNode })[nodeSymbol] : undefined;
  if (node) return node;
  const found =
    record instanceof Promise ? 'a promise' : record === null ? 'null' : typeof record === 'object' ? 'a plain object' : `${typeof record}`;
  throw new DefinitionError(
    'NOT_A_SYMBOLIC_RECORD',
    `${caller} got ${found} instead of a symbolic record`,
    'call it, inside definePipeline and without await, on the record that `wire` is given or on the result of another function',
  );
}

class Untouchable implements ProxyHandler<object> {
  constructor(private readonly node: GraphNode) {}

  get(_: object, property: string | symbol): unknown {
    if (property === nodeSymbol) return this.node;
    if (property === Symbol.toPrimitive || property === 'valueOf' || property === 'toString') return this.refuse('was coerced to a value');
    if (property === Symbol.iterator || property === Symbol.asyncIterator) return this.refuse('was iterated');
    if (property === 'toJSON') return this.refuse('was given to JSON.stringify');
    if (property === 'then') return this.refuse('was awaited');
    return this.refuse(`was asked for '${String(property)}'`);
  }
  has(_: object, property: string | symbol): boolean {
    return this.refuse(`was asked whether it has '${String(property)}'`);
  }
  ownKeys(): string[] {
    return this.refuse('was spread or its keys were listed');
  }
  getOwnPropertyDescriptor(_: object, property: string | symbol): undefined {
    return this.refuse(`was asked for '${String(property)}'`);
  }
  set(_: object, property: string | symbol): boolean {
    return this.refuse(`was given a field '${String(property)}'`);
  }
  defineProperty(_: object, property: string | symbol): boolean {
    return this.refuse(`was given a field '${String(property)}'`);
  }
  deleteProperty(_: object, property: string | symbol): boolean {
    return this.refuse(`was to lose its field '${String(property)}'`);
  }

  private refuse(what: string): never {
    throw new DefinitionError(
      'SYMBOLIC_RECORD_READ',
      `the symbolic record after '${this.node.label}' ${what}; it stands for every record and has no values when the pipeline is defined`,
      'look at fields in the handler of a function that declares them in `reads`, or decide in a filter',
    );
  }
}
