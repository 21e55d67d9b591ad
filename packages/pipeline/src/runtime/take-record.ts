import type { Fields } from '../json.js';
import type { PipelineSpec } from '../spec.js';
import { admitRecord } from './admit-record.js';

export type Taken = { readonly key: string; readonly fields: Fields } | NotTaken;
export interface NotTaken {
  /** What is wrong, in words that name fields. */
  readonly problem: string;
  /** The same, one by one; where it is known, with the path of its field. */
  readonly problems: readonly { readonly path?: readonly PropertyKey[]; readonly message: string }[];
}

/**
 * The record's key and declared fields, or what is wrong with it. Whoever takes a record in, by whatever door, asks this: the platform holds
 * no code of users, the release's spec decides.
 */
export function takeRecord(spec: PipelineSpec, record: unknown): Taken {
  const admission = admitRecord(spec, record);
  if (!admission.ok) {
    const problems = admission.problems.map((message, i) => ({ message, ...(admission.paths[i] && { path: admission.paths[i] }) }));
    return { problem: admission.problems.join('; '), problems };
  }
  if (!UNSTORABLE.test(admission.key)) return admission;
  const problem = `${spec.key}: the key has a character that cannot be stored`;
  return { problem, problems: [{ path: [spec.key], message: problem }] };
}

/** NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\0|\p{Surrogate}/u;
