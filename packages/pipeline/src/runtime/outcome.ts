import type { Json } from '../json.js';
import type { Outcome, RecordState } from '../record-state.js';
import type { PipelineSpec } from '../spec.js';

/** The one outcome of a record that has passed every stage it could. Filtered beats dead. */
export function outcomeOf({ output }: Pick<PipelineSpec, 'output'>, { key, fields, filtered, death }: RecordState): Outcome {
  if (filtered) return { state: 'filtered', key, by: filtered.by, reason: filtered.reason };
  if (death) return { state: 'dead', key, in: death.in, code: death.code, message: death.message };
  const picked: { [field: string]: Json } = {};
  for (const field of output) if (fields[field] !== undefined) picked[field] = fields[field];
  return { state: 'completed', key, output: picked };
}
