/** The input file of a batch holds each record whole, so that it can go back into the inbox and to another release. */
import type { Fields, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { ClaimedInput, ClaimedRecord } from '@autoflow/store';
import { refusedState, stateOf, takeRecord } from '../records.js';

/** With what the release does not declare, and how the record had come: nobody reads it but who has to give the record back. */
export interface InputState extends RecordState {
  readonly undeclared?: Fields;
  /** Why it is no record. */
  readonly problem?: string;
  readonly trace?: string;
  readonly dueAt?: string;
}

/** The records as the release's input takes them. An invalid one takes part as a dead one. */
export function inputStates(records: readonly ClaimedRecord[], spec: PipelineSpec): InputState[] {
  return records.map(({ key, record, arrivedAt, problem, trace, dueAt }, index) => {
    const at = arrivedAt.toISOString();
    const came = { ...(trace !== undefined && { trace }), ...(dueAt !== undefined && { dueAt: dueAt.toISOString() }) };
    if (problem !== undefined) return { ...refusedState(index, key, record, at, problem), ...came, problem };
    const taken = takeRecord(spec, record);
    if ('problem' in taken) return { ...refusedState(index, key, record, at, taken.problem), ...came };
    return { ...stateOf(index, { key, fields: taken.fields }, at), ...undeclaredOf(record, spec), ...came };
  });
}

export function undeclaredOf(record: Fields, spec: PipelineSpec): Pick<InputState, 'undeclared'> {
  const undeclared = Object.entries(record).filter(([name]) => !spec.input.includes(name));
  return undeclared.length === 0 ? {} : { undeclared: Object.fromEntries(undeclared) };
}

/** What `inputStates` was given, by key. */
export function recordsOf(states: readonly InputState[]): Map<string, ClaimedInput> {
  return new Map(
    states.map((state) => {
      const { key, problem, trace, dueAt } = state;
      const came = { ...(trace !== undefined && { trace }), ...(dueAt !== undefined && { dueAt: new Date(dueAt) }) };
      return [key, { record: wholeOf(state), ...(problem !== undefined && { problem }), ...came }];
    }),
  );
}

export function wholeOf({ fields, undeclared }: InputState): Fields {
  return { ...undeclared, ...fields };
}
