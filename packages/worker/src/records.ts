/** The states as which records flow. */
import type { Fields, RecordState } from '@autoflow/pipeline';

export { takeRecord, type Taken } from '@autoflow/pipeline/runtime';

export function stateOf(index: number, { key, fields }: { readonly key: string; readonly fields: Fields }, arrivedAt: string): RecordState {
  return { index, key, arrivedAt, fields };
}

/** A record that a backfill does not take: it goes through the batch dead, so that it is accounted for. */
export function refusedState(index: number, key: string, fields: Fields, arrivedAt: string, problem: string): RecordState {
  return { index, key, arrivedAt, fields, death: { in: 'input', code: 'INVALID_RECORD', message: problem } };
}
