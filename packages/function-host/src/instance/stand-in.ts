import { readFile } from 'node:fs/promises';
import type { NodeSpec } from '@autoflow/pipeline';
import type { StandIn } from '@autoflow/pipeline/runtime';
import { canonicalJson } from '@autoflow/topology/canonical-json';
import { NOT_RECORDED, type ReplayAnswers } from '../replay/answers.js';

/** Answers, of a file of `ReplayAnswers`, what makes the stand-in of one invocation. */
export async function readStandIn(file: string): Promise<() => StandIn> {
  const answers = JSON.parse(await readFile(file, 'utf8')) as ReplayAnswers;
  return () => standInOf(answers);
}

/**
 * A `read` is answered by what was recorded for equal input. A write is answered in order, whatever its arguments: these are compared by
 * whoever replays. What was not recorded fails the record, for good, with the code NOT_RECORDED.
 */
export function standInOf(answers: ReplayAnswers): StandIn {
  const asked = new Map<string, number>();
  return (node, key, input) => {
    const calls = answers[node.id]?.[key] ?? [];
    const place = `${node.id}\n${key}`;
    const position = asked.get(place) ?? 0;
    asked.set(place, position + 1);
    const text = canonicalJson(input);
    const found =
      node.effect === 'read' ? calls.find(({ input: known }) => known !== undefined && canonicalJson(known) === text) : calls[position];
    const answer = found?.answer;
    return answer !== undefined && ('fields' in answer || 'failure' in answer) ? answer : notRecorded(node);
  };
}

function notRecorded({ id }: NodeSpec): ReturnType<StandIn> {
  return { failure: { terminal: true, code: NOT_RECORDED, message: `what '${id}' answers to this was not recorded` } };
}
