/** The input file of a batch holds each record whole, so that it can go back into the inbox and to another release. */
import type { Fields, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { ClaimedRecord } from '@autoflow/store';
import { refusedState, stateOf, takeRecord } from '../records.js';

/** What the release does not declare, or why it is no record: nobody reads either but who takes the batch back. */
export interface InputState extends RecordState {
  readonly undeclared?: Fields;
  readonly problem?: string;
}

/** The records as the release's input takes them. An invalid one takes part as a dead one. */
export function inputStates(records: readonly ClaimedRecord[], spec: PipelineSpec): InputState[] {
  return records.map(({ key, record, arrivedAt, problem }, index) => {
    const at = arrivedAt.toISOString();
    if (problem !== undefined) return { ...refusedState(index, key, record, at, problem), problem };
    const taken = takeRecord(spec, record);
    if ('problem' in taken) return refusedState(index, key, record, at, taken.problem);
    return { ...stateOf(index, { key, fields: taken.fields }, at), ...undeclaredOf(record, spec) };
  });
}

export function undeclaredOf(record: Fields, spec: PipelineSpec): Pick<InputState, 'undeclared'> {
  const undeclared = Object.entries(record).filter(([name]) => !spec.input.includes(name));
  return undeclared.length === 0 ? {} : { undeclared: Object.fromEntries(undeclared) };
}

/** What `inputStates` was given, by key. */
export function recordsOf(states: readonly InputState[]): Map<string, { record: Fields; problem?: string }> {
  return new Map(
    states.map((state) => [state.key, { record: wholeOf(state), ...(state.problem !== undefined && { problem: state.problem }) }]),
  );
}

export function wholeOf({ fields, undeclared }: InputState): Fields {
  return { ...undeclared, ...fields };
}
