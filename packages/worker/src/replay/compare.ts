/** Whether a record went in a replay as it was recorded. What is found names functions, fields and codes, never a value. */
import type { Fields, NodeSpec, Outcome, PipelineSpec } from '@autoflow/pipeline';
import { NOT_RECORDED, type ReplayedRecord } from '@autoflow/function-host';
import type { RecordedCall, RecordedOutcome } from '@autoflow/store';
import { canonicalJson, type ShadowDifference } from '@autoflow/topology';

export type Comparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different'; readonly difference: Omit<ShadowDifference, 'key'> }
  /** What a function outside answers to this was not recorded. */
  | { readonly kind: 'not-comparable'; readonly function: string };

type Calls = { readonly [node: string]: readonly RecordedCall[] };
type Difference = Omit<ShadowDifference, 'key'>;

/**
 * Functions first, in the order written: the first that differs is where the two parted. Where a function ran in one of the two only, as
 * topologies may have it, the outcome decides; a write that was recorded for a record must come again, and no other may come.
 */
export function compare(
  spec: Pick<PipelineSpec, 'nodes'>,
  { outcome: was }: Pick<RecordedOutcome, 'outcome'>,
  recorded: Calls,
  { outcome, calls }: ReplayedRecord,
): Comparison {
  for (const node of spec.nodes) {
    const difference = isWrite(node)
      ? writeDifference(recorded[node.id], calls[node.id], was, outcome)
      : answerDifference(recorded[node.id], calls[node.id]);
    if (difference !== undefined) return { kind: 'different', difference: { function: node.id, ...difference } };
  }
  if (outcome.state === 'dead' && outcome.code === NOT_RECORDED) return { kind: 'not-comparable', function: outcome.in };
  const difference = outcomeDifference(was, outcome);
  return difference === undefined ? { kind: 'equal' } : { kind: 'different', difference };
}

const isWrite = ({ effect }: NodeSpec): boolean => effect === 'write' || effect === 'idempotent-write';

function writeDifference(
  recorded: readonly RecordedCall[] | undefined,
  replayed: readonly RecordedCall[] | undefined,
  was: RecordedOutcome['outcome'],
  outcome: Outcome,
): Difference | undefined {
  if (replayed === undefined) {
    // Of one that ended otherwise the outcome tells.
    return recorded !== undefined && outcome.state === 'completed' ? { what: 'does not write, but did' } : undefined;
  }
  if (recorded === undefined) return was.state === 'filtered' ? { what: 'writes, though the record was filtered' } : undefined;
  if (recorded.length !== replayed.length) return { what: `writes ${replayed.length} times, wrote ${recorded.length} times` };
  return replayed.some(({ digest }, i) => digest !== recorded[i]!.digest) ? { what: 'writes with other arguments' } : undefined;
}

function answerDifference(
  recorded: readonly RecordedCall[] | undefined,
  replayed: readonly RecordedCall[] | undefined,
): Difference | undefined {
  if (recorded === undefined || replayed === undefined) return undefined;
  if (recorded.length !== replayed.length) return { what: `is asked ${replayed.length} times, was asked ${recorded.length} times` };
  for (const [i, call] of replayed.entries()) {
    if (isNotRecorded(call) && asksOtherwise(recorded, call)) return { what: 'is asked with other arguments' };
    const difference = differenceOf(recorded[i]!.answer, call.answer);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

const isNotRecorded = ({ answer }: Pick<RecordedCall, 'answer'>): boolean => codeOf(answer) === NOT_RECORDED;

/** Of what it was asked then, everything is known, and this is not among it. */
function asksOtherwise(recorded: readonly RecordedCall[], { input }: RecordedCall): boolean {
  return input !== undefined && recorded.every(({ input: known }) => known !== undefined && !same(known, input));
}

function differenceOf(was: RecordedCall['answer'], is: RecordedCall['answer']): Difference | undefined {
  // Not a difference of this function: nothing is known.
  if (codeOf(is) === NOT_RECORDED) return undefined;
  if ('failure' in was || 'failure' in is) return codeOf(was) === codeOf(is) ? undefined : { what: `${worded(is)}, ${past(was)}` };
  if ('fields' in was && 'fields' in is) return fieldDifference(was.fields, is.fields, 'answers');
  if ('children' in was && 'children' in is) {
    if (was.children.length !== is.children.length) return { what: `makes ${is.children.length} children, made ${was.children.length}` };
    for (const [i, child] of is.children.entries()) {
      const difference = fieldDifference(was.children[i]!, child, 'answers');
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if ('value' in was && 'value' in is) return same(was.value, is.value) ? undefined : { what: 'answers another value' };
  if ('kept' in was === 'kept' in is) return same(was, is) ? undefined : { what: 'drops for another reason' };
  return { what: 'kept' in is ? 'keeps, dropped' : 'drops, kept' };
}

const codeOf = (answer: RecordedCall['answer']): string | undefined => ('failure' in answer ? answer.failure.code : undefined);
const worded = (answer: RecordedCall['answer']): string => ('failure' in answer ? `fails (${answer.failure.code})` : 'answers');
const past = (answer: RecordedCall['answer']): string => ('failure' in answer ? `failed (${answer.failure.code})` : 'answered');

function outcomeDifference(was: RecordedOutcome['outcome'], is: Outcome): Difference | undefined {
  if (was.state !== is.state) return { what: `is ${inWords(is)}, was ${inWords(was)}` };
  switch (is.state) {
    case 'completed':
      return fieldDifference(was.output ?? {}, is.output, 'its output has');
    case 'filtered':
      return was.by === is.by && was.reason === is.reason ? undefined : { what: `is filtered by '${is.by}', was by '${was.by}'` };
    case 'dead':
      // Where it died is a stage in one topology and a function in another, when its process did.
      return was.reason === is.code ? undefined : { what: `is ${inWords(is)}, was ${inWords(was)}` };
    default:
      return undefined;
  }
}

function inWords(outcome: Outcome | RecordedOutcome['outcome']): string {
  if (outcome.state !== 'dead') return outcome.state;
  return `dead (${'code' in outcome ? outcome.code : outcome.reason})`;
}

function fieldDifference(was: Fields, is: Fields, begins: string): Difference | undefined {
  for (const field of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (was[field] === undefined && is[field] === undefined) continue;
    if (was[field] === undefined || is[field] === undefined)
      return { field, what: is[field] === undefined ? `${begins} no value, had one` : `${begins} a value, had none` };
    if (!same(was[field], is[field])) return { field, what: `${begins} another value` };
  }
  return undefined;
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
