import type { Json } from '../json.js';
import type { AnyPipeline } from '../pipeline.js';
import type { RecordState } from '../record-state.js';
import { applyFunction } from './apply-function.js';
import { applyExpand, applyFilter, applyReduce } from './apply-pure.js';
import type { FunctionSpan, RunOptions, RunResult } from './contract.js';
import { Failure } from './failure.js';
import { observe, watchedOf, type Answer } from './observe.js';
import { planOf, type Plan, type PlannedNode } from './plan.js';
import { Work, type Bag, type Item } from './work.js';

/**
 * Runs records through nodes, one node after the other, each over all records that may enter it. No record stops another: each ends up
 * in `done` (perhaps filtered or dying) or in `retry`, and its handlers saw nothing but their declared fields, frozen.
 * Rejects when `signal` is aborted, with its reason; else only when the call itself is wrong (unknown node, illegal topology).
 */
export async function runNodes(
  pipeline: AnyPipeline,
  nodeIds: readonly string[],
  records: readonly RecordState[],
  options: RunOptions,
): Promise<RunResult> {
  const plan = planOf(pipeline);
  const nodes = nodeIds.map((id) => plannedNode(pipeline, plan, id));
  const works = records.map((record) => new Work(record, firstPosition(record, nodeIds)));
  const watched = watchedOf(works, options.observer);
  const spans: FunctionSpan[] = [];
  for (const [position, node] of nodes.entries()) {
    options.signal.throwIfAborted();
    spans.push(
      await runNode(
        node,
        works.filter((work) => work.enters(node, position, plan)),
        options,
        watched,
      ),
    );
  }
  return {
    done: works.filter((work) => !work.isRetry).map((work) => work.state()),
    retry: works.filter((work) => work.isRetry).map((work) => work.state()),
    spans,
  };
}

function plannedNode({ name }: AnyPipeline, plan: Plan, id: string): PlannedNode {
  const node = plan.get(id);
  if (!node) throw new Error(`pipeline '${name}' has no node '${id}'; it has ${[...plan.keys()].join(', ')}`);
  return node;
}

function firstPosition({ index, retry }: RecordState, nodeIds: readonly string[]): number {
  const position = retry ? nodeIds.indexOf(retry.at) : 0;
  if (position < 0) throw new Error(`record ${index} is to be resumed at '${retry?.at}', which is not among ${nodeIds.join(', ')}`);
  return position;
}

async function runNode(
  node: PlannedNode,
  works: readonly Work[],
  options: RunOptions,
  watched: ReadonlySet<Work> | undefined,
): Promise<FunctionSpan> {
  const waits = new Waits(options);
  const [wall, cpu] = [options.clock.now(), options.clock.cpu()];
  const count = { filtered: 0, dead: 0, retried: 0, 'still dying': 0, passed: 0 };
  if (works.length > 0) {
    const items = works.flatMap((work) => work.items(node));
    const answers: Answer[] = items.length > 0 ? await apply(node, items, waits.options) : [];
    if (watched !== undefined) observe(node, watched, items, answers, options.observer!);
    const answersOf = byWork(items, answers);
    for (const work of works) count[settle(node, work, answersOf.get(work) ?? [], options)]++;
  }
  return {
    node: node.id,
    recordsIn: works.length,
    recordsOut: count.passed + count['still dying'],
    filtered: count.filtered,
    dead: count.dead,
    retried: count.retried,
    wallMs: options.clock.now() - wall - waits.ms,
    cpuMs: options.clock.cpu() - cpu,
  };
}

/** How long a node waited for permits: no time of its own. */
class Waits {
  ms = 0;
  readonly options: RunOptions;

  constructor(options: RunOptions) {
    const { permit, clock } = options;
    this.options = permit === undefined ? options : { ...options, permit: (uses) => this.measured(permit(uses), clock) };
  }

  private async measured(permitted: Promise<void>, clock: RunOptions['clock']): Promise<void> {
    const begin = clock.now();
    try {
      await permitted;
    } finally {
      this.ms += clock.now() - begin;
    }
  }
}

function apply(node: PlannedNode, items: readonly Item[], options: RunOptions): Promise<Answer[]> {
  switch (node.spec.kind) {
    case 'function':
      return applyFunction(node, items, options);
    case 'filter':
      return applyFilter(node, items, options);
    case 'expand':
      return applyExpand(node, items, options);
    case 'reduce':
      return applyReduce(node, items, options);
  }
}

function byWork(items: readonly Item[], answers: readonly Answer[]): Map<Work, Answer[]> {
  const grouped = new Map<Work, Answer[]>();
  items.forEach(({ work }, i) => {
    const answer = answers[i] as Answer;
    const list = grouped.get(work);
    if (list) list.push(answer);
    else grouped.set(work, [answer]);
  });
  return grouped;
}

/** Nothing of a node is kept for a record unless all of it can be: a failure of one child is the record's. */
function settle(
  node: PlannedNode,
  work: Work,
  answers: readonly Answer[],
  options: RunOptions,
): 'filtered' | 'dead' | 'retried' | 'still dying' | 'passed' {
  const failures = answers.filter((answer) => answer instanceof Failure);
  const failure = failures.find(({ terminal }) => terminal) ?? failures[0];
  if (failure) return work.fail(node, failure, options.final);
  const [only] = answers;
  if (node.spec.kind === 'filter' && node.path.length === 0) return typeof only === 'string' ? work.drop(node, only) : 'passed';
  return commit(node, work, answers);
}

function commit(node: PlannedNode, work: Work, answers: readonly Answer[]): 'passed' {
  if (node.spec.kind === 'function' && node.spec.writes.length === 0) return 'passed';
  work.own(node);
  work.items(node).forEach(({ bag }, i) => write(node, bag, answers[i] as Exclude<Answer, Failure>));
  return 'passed';
}

function write({ id, spec, definition }: PlannedNode, bag: Bag, answer: Exclude<Answer, Failure>): void {
  switch (spec.kind) {
    case 'function':
      Object.assign(bag.fields, answer);
      break;
    case 'filter':
      if (typeof answer === 'string') bag.droppedBy = [...(bag.droppedBy ?? []), id];
      break;
    case 'expand':
      bag.children = { ...bag.children, [id]: answer as Bag[] };
      break;
    case 'reduce':
      bag.fields[definition.into as string] = answer as Json;
  }
}
