/** Records as they come in, and the state as which they flow. The control plane and the workers hold no code of users: the release's spec decides. */
import type { Fields, PipelineSpec, RecordState } from '@autoflow/pipeline';
import { admitRecord } from '@autoflow/pipeline/runtime';

export type Taken = { readonly key: string; readonly fields: Fields } | { readonly problem: string };

/** The record's key and declared fields, or what is wrong with it, in words that name fields. */
export function takeRecord(spec: PipelineSpec, record: unknown): Taken {
  const admission = admitRecord(spec, record);
  if (!admission.ok) return { problem: admission.problems.join('; ') };
  if (UNSTORABLE.test(admission.key)) return { problem: `${spec.key}: the key has a character that cannot be stored` };
  return admission;
}

/** NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

export function stateOf(index: number, { key, fields }: { readonly key: string; readonly fields: Fields }, arrivedAt: string): RecordState {
  return { index, key, arrivedAt, fields };
}

/** A record that a backfill does not take: it goes through the batch dead, so that it is accounted for. */
export function refusedState(index: number, key: string, fields: Fields, arrivedAt: string, problem: string): RecordState {
  return { index, key, arrivedAt, fields, death: { in: 'input', code: 'INVALID_RECORD', message: problem } };
}
