import { randomBytes } from 'node:crypto';
import { ProblemError, type ProblemCode } from '@autoflow/http';
import type { QuestionRuns } from '../ports.js';

/** A question about a pipeline that is asked under an id, and answered later. */
export interface QuestionKind {
  /** What its ids begin with. */
  readonly prefix: string;
  /** As people call it. */
  readonly name: string;
  readonly workflow: string;
  readonly workflowId: (pipeline: string, id: string) => string;
  readonly unknown: ProblemCode;
}

export function newId({ prefix }: QuestionKind): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** Starts the workflow that answers. */
export async function begin(runs: QuestionRuns, kind: QuestionKind, question: { readonly id: string; readonly pipeline: string }) {
  const { id, pipeline } = question;
  await runs.start(kind.workflow, kind.workflowId(pipeline, id), question);
  return { id, pipeline, state: 'running' as const, askedAt: new Date() };
}

/** How far it is, with its answer or its failure; a `ProblemError` where nobody has asked it, or its workflow is forgotten. */
export async function progressOf<Answer>(runs: QuestionRuns, kind: QuestionKind, pipeline: string, id: string) {
  const found = await runs.find<Answer>(kind.workflowId(pipeline, id));
  if (found === undefined) throw new ProblemError(kind.unknown, `${pipeline} has no ${kind.name} ${JSON.stringify(id)}, or none any more.`);
  const asked = { id, pipeline, askedAt: found.askedAt, ...(found.answeredAt && { answeredAt: found.answeredAt }) };
  if (found.state === 'running') return { ...asked, state: 'running' as const };
  if (found.state === 'failed') return { ...asked, state: 'failed' as const, failure: found.failure };
  return { ...asked, state: 'completed' as const, answer: found.answer };
}
