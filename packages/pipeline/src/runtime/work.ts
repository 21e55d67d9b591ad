import type { Fields, Json } from '../json.js';
import { blankOut, sensitiveValues } from '../sensitive.js';
import type { ChildState, Death, Filtered, RecordState } from '../record-state.js';
import type { Failure } from './failure.js';
import type { PlannedNode } from './plan.js';

/** A bag of fields that is written to: of a record, or of one of its children. */
export interface Bag {
  fields: { [field: string]: Json | undefined };
  children?: { [expand: string]: Bag[] };
  droppedBy?: string[];
}

/** One thing that a node is asked about: a record, or a child of one. */
export interface Item {
  readonly work: Work;
  readonly bag: Bag;
  /** Positions in the families that lead to it: `''` or `/3/0`. */
  readonly path: string;
}

/** A record on its way through the nodes of one invocation. What it was given is never written to; it is copied when first needed. */
export class Work {
  readonly root: Bag;
  private filtered: Filtered | undefined;
  private death: Death | undefined;
  private failed: readonly string[];
  private retry: RecordState['retry'];
  private readonly resumed: RecordState['retry'];
  private changed: boolean;
  private ownsFields = false;
  private ownsChildren = false;

  constructor(
    readonly given: RecordState,
    /** Nodes before this position have run for it already. */
    private readonly firstPosition: number,
  ) {
    this.root = {
      fields: given.fields as Bag['fields'],
      ...(given.children ? { children: given.children as NonNullable<Bag['children']> } : {}),
    };
    this.filtered = given.filtered;
    this.death = given.death;
    this.failed = given.failed ?? (given.death ? [given.death.in] : []);
    this.resumed = given.retry;
    this.changed = given.retry !== undefined;
  }

  /** A dying record enters only what a filter still needs, and nothing that depends on what failed. */
  enters(node: PlannedNode, position: number, known: ReadonlyMap<string, unknown>): boolean {
    if (this.filtered || this.retry || position < this.firstPosition) return false;
    if (!this.death) return true;
    return node.neededByFilter && this.failed.every((id) => known.has(id) && id !== node.id && !node.needs.has(id));
  }

  /** Makes the bags that a node writes to our own. */
  own(node: PlannedNode): void {
    if (!this.ownsFields) this.root.fields = { ...this.root.fields };
    this.ownsFields = this.changed = true;
    if (node.path.length === 0 || this.ownsChildren) return;
    if (this.root.children) this.root.children = copyFamilies(this.root.children);
    this.ownsChildren = true;
  }

  /** The bags at the end of the node's path that the node sees, in order. */
  items(node: PlannedNode): Item[] {
    let items: Item[] = [{ work: this, bag: this.root, path: '' }];
    for (const depth of node.path.keys()) {
      const deeper: Item[] = [];
      for (const { bag, path } of items)
        this.family(node, bag, depth).forEach(
          (child, i) => isVisible(node, child, depth) && deeper.push({ work: this, bag: child, path: `${path}/${i}` }),
        );
      items = deeper;
    }
    return items;
  }

  /** Children of a bag at a depth, but for those dropped by a filter before the node. */
  visibleChildren(node: PlannedNode, bag: Bag, depth: number): readonly Bag[] {
    const family = this.family(node, bag, depth);
    return node.childFilters[depth]?.length === 0 ? family : family.filter((child) => isVisible(node, child, depth));
  }

  private family({ id, spec }: PlannedNode, { children }: Bag, depth: number): readonly Bag[] {
    const expand = spec.scope[depth] as string;
    const family = children?.[expand];
    if (!family)
      throw new Error(`record ${this.given.index} came to '${id}' without the children that '${expand}' makes: the topology is not legal`);
    return family;
  }

  drop(by: PlannedNode, reason: string): 'filtered' {
    this.filtered = { by: by.id, reason: this.presentable(reason, by) };
    this.changed = true;
    return 'filtered';
  }

  /**
   * Bounded by the function's own attempts: those at another function do not count. A dying record is tried again like any other, so that
   * whether a filter can be asked does not depend on which of two failures comes first; it stays dying, of its first death.
   */
  fail(node: PlannedNode, { terminal, code, message: said }: Failure, final: boolean): 'dead' | 'retried' | 'still dying' {
    const { id, spec } = node;
    const message = this.presentable(said, node);
    const attempts = (this.resumed?.at === id ? this.resumed.attempts : 0) + 1;
    const dying = this.death !== undefined;
    this.changed = true;
    if (!terminal && !final && attempts < spec.retry.maximumAttempts) {
      this.retry = { at: id, attempts, code, message };
      return 'retried';
    }
    this.death ??= { in: id, code, message };
    this.failed = [...this.failed, id];
    return dying ? 'still dying' : 'dead';
  }

  /** Messages are stored and shown: values of the record's sensitive fields, and of its children's, do not go into them. */
  private presentable(message: string, { sensitive }: PlannedNode): string {
    if (sensitive.length === 0) return message;
    return blankOut(
      message,
      [...bagsIn(this.root)].flatMap(({ fields }) => sensitiveValues(fields as Fields, sensitive)),
    );
  }

  get isRetry(): boolean {
    return this.retry !== undefined;
  }

  state(): RecordState {
    if (!this.changed) return this.given;
    const { index, key, arrivedAt } = this.given;
    return {
      index,
      key,
      arrivedAt,
      fields: this.root.fields as Fields,
      ...(this.root.children ? { children: this.root.children } : {}),
      ...(this.filtered ? { filtered: this.filtered } : this.death ? { death: this.death, failed: this.failed } : {}),
      ...(this.retry ? { retry: this.retry } : {}),
    };
  }
}

function* bagsIn(bag: Bag): Generator<Bag> {
  yield bag;
  for (const child of Object.values(bag.children ?? {}).flat()) yield* bagsIn(child);
}

function isVisible({ childFilters }: PlannedNode, { droppedBy }: Bag, depth: number): boolean {
  return !droppedBy?.some((filter) => childFilters[depth]?.includes(filter));
}

function copyFamilies(families: { readonly [expand: string]: readonly ChildState[] }): { [expand: string]: Bag[] } {
  return Object.fromEntries(
    Object.entries(families).map(([expand, children]) => [
      expand,
      children.map(({ fields, children: inner, droppedBy }): Bag => ({
        fields: { ...fields },
        ...(inner ? { children: copyFamilies(inner) } : {}),
        ...(droppedBy ? { droppedBy: [...droppedBy] } : {}),
      })),
    ]),
  );
}
