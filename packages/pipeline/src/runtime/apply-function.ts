import type { Fields } from '../json.js';
import { isTerminalError } from '../terminal-error.js';
import { hasWriteEffect } from '../node-relations.js';
import { named, takeFields } from './answers.js';
import { Calls, isThenable } from './calls.js';
import type { RunOptions, StandIn } from './contract.js';
import { Failure } from './failure.js';
import type { PlannedNode } from './plan.js';
import { visible } from './visible.js';
import type { Item, Work } from './work.js';

/** The fields that a function adds to each item. `handle` is called for one after the other, `handleBatch` for all at once. */
export async function applyFunction(node: PlannedNode, items: readonly Item[], options: RunOptions): Promise<(Fields | Failure)[]> {
  if (options.standIn !== undefined && node.spec.effect !== 'pure') return stoodIn(node, items, options.standIn);
  const calls = new Calls(node, options);
  const resources = await openResources(node, calls, options);
  if (resources instanceof Failure) return items.map(() => resources);
  const inputs = items.map(({ bag }) => visible(node.spec.reads, bag));
  const answers = remembered(node, inputs, options);
  const open = items.flatMap((_, i) => (answers[i] ? [] : [i]));
  const { asked, twins } = withoutTwins(node, inputs, open);
  const call = { node, calls, options, resources, items, inputs };
  if (node.definition.handleBatch) await askTogether(call, asked, answers);
  else await askEach(call, asked, answers);
  for (const [i, first] of twins) answers[i] = answers[first];
  remember(node, inputs, asked, answers, options);
  return answers as (Fields | Failure)[];
}

function stoodIn({ spec }: PlannedNode, items: readonly Item[], standIn: StandIn): (Fields | Failure)[] {
  return items.map(({ bag, work }) => {
    const answer = standIn(spec, work.given.key, visible(spec.reads, bag));
    if ('fields' in answer) return answer.fields;
    const { terminal, code, message } = answer.failure;
    return new Failure(terminal, code, message);
  });
}

/**
 * A function with a `memo` says that one answer serves all equal reads: each is asked once, and whether it fails is then the same for all of
 * them. Not among children that are asked one after the other: there a child may go unasked because a sibling has failed.
 */
function withoutTwins(
  { spec, definition, path }: PlannedNode,
  inputs: readonly Fields[],
  open: readonly number[],
): { asked: readonly number[]; twins: ReadonlyMap<number, number> } {
  if (!spec.memo || (path.length > 0 && !definition.handleBatch)) return { asked: open, twins: new Map() };
  const first = new Map<string, number>();
  const twins = new Map<number, number>();
  for (const i of open) {
    const reads = JSON.stringify(inputs[i]);
    const twin = first.get(reads);
    if (twin === undefined) first.set(reads, i);
    else twins.set(i, twin);
  }
  return { asked: [...first.values()], twins };
}

interface Call {
  readonly node: PlannedNode;
  readonly calls: Calls;
  readonly options: RunOptions;
  readonly resources: object;
  readonly items: readonly Item[];
  readonly inputs: readonly Fields[];
}
type Answers = (Fields | Failure | undefined)[];

async function openResources({ definition: { uses = {} } }: PlannedNode, calls: Calls, options: RunOptions): Promise<object | Failure> {
  const opened: { [as: string]: unknown } = {};
  for (const [as, { name }] of Object.entries(uses)) {
    // Boxed, because a resource may itself have a `then`.
    const box = await calls.maybeAsync(() => options.resource(name).then((resource) => ({ resource })));
    if (box instanceof Failure) return box;
    opened[as] = box.resource;
  }
  return opened;
}

/** Once a child has failed, its record has failed, and its other children are not asked. */
async function askEach(
  { node, calls, options, resources, items, inputs }: Call,
  asked: readonly number[],
  answers: Answers,
): Promise<void> {
  const { handle } = node.definition;
  const writes = hasWriteEffect(node.spec);
  let failed: { work: Work; failure: Failure } | undefined;
  for (const i of asked) {
    const item = items[i] as Item;
    if (failed?.work === item.work) {
      answers[i] = failed.failure;
      continue;
    }
    const pause = calls.breathe();
    if (pause) await pause;
    const permitted = calls.permitted();
    if (permitted) await permitted;
    const { key, arrivedAt } = item.work.given;
    const context = Object.assign(
      calls.context(key),
      { now: arrivedAt },
      writes ? { keys: [idempotencyKey(node, item, options)] } : undefined,
      resources,
    );
    let answer: unknown = calls.maybeAsync(() => handle?.(inputs[i] as Fields, context));
    if (isThenable(answer)) answer = await answer;
    const taken = take(node, answer, options);
    answers[i] = taken;
    if (taken instanceof Failure) failed = { work: item.work, failure: taken };
  }
}

async function askTogether(
  { node, calls, options, resources, items, inputs }: Call,
  asked: readonly number[],
  answers: Answers,
): Promise<void> {
  if (asked.length === 0) return;
  options.signal.throwIfAborted();
  const permitted = calls.permitted();
  if (permitted) await permitted;
  const batch = asked.map((i) => items[i] as Item);
  const context = Object.assign(
    calls.context(undefined),
    { nows: batch.map(({ work }) => work.given.arrivedAt) },
    hasWriteEffect(node.spec) ? { keys: batch.map((item) => idempotencyKey(node, item, options)) } : undefined,
    resources,
  );
  const records = Object.freeze(asked.map((i) => inputs[i] as Fields));
  const answer: unknown = await calls.maybeAsync(() => node.definition.handleBatch?.(records, context));
  const refused = answer instanceof Failure ? answer : misshapen(node.id, answer, batch.length);
  asked.forEach((i, position) => {
    answers[i] = refused ?? take(node, (answer as readonly unknown[])[position], options);
  });
}

function misshapen(id: string, answer: unknown, records: number): Failure | undefined {
  if (!Array.isArray(answer))
    return Failure.wrongAnswer(`'${id}' answered ${named(answer)} for a batch; answer a list with one place per record`);
  return answer.length === records
    ? undefined
    : Failure.wrongAnswer(`'${id}' answered ${answer.length} of ${records} records; answer records[i] at position i`);
}

/** An error in a record's place is as good as thrown for that record. */
function take(node: PlannedNode, answer: unknown, { strict }: RunOptions): Fields | Failure {
  if (answer instanceof Failure) return answer;
  return isTerminalError(answer) || answer instanceof Error ? Failure.of(answer) : takeFields(node, answer, strict);
}

/** Names an item in a function for ever: no attempt, version or batch is part of it. */
function idempotencyKey({ id }: PlannedNode, { work, path }: Item, { idempotencyScope }: RunOptions): string {
  return `${idempotencyScope}/${work.given.key}/${id}${path}`;
}

function remembered({ spec }: PlannedNode, inputs: readonly Fields[], { memo, clock }: RunOptions): Answers {
  const now = clock.now();
  return inputs.map((reads) => (spec.memo && memo ? memo.get(spec.name, reads, now) : undefined));
}

function remember(
  { spec }: PlannedNode,
  inputs: readonly Fields[],
  asked: readonly number[],
  answers: Answers,
  { memo, clock }: RunOptions,
): void {
  if (!spec.memo || !memo) return;
  const expiresAt = clock.now() + spec.memo.ttlMs;
  for (const i of asked) {
    const answer = answers[i];
    if (answer && !(answer instanceof Failure)) memo.set(spec.name, inputs[i] as Fields, answer, expiresAt);
  }
}
