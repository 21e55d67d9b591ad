import type { RecordedCall } from '@autoflow/store';

/** What stands in for functions that are not `pure`, by node and key of the record. */
export interface ReplayAnswers {
  readonly [node: string]: { readonly [key: string]: readonly RecordedCall[] };
}

/** Code of a record that cannot be replayed to its end. */
export const NOT_RECORDED = 'NOT_RECORDED';
