/** Outcomes in order of time, for whoever measures how long records took. */
import type { RecordRow } from './ledger.model.js';

export interface EndedRecordRow {
  readonly key: string;
  readonly state: Exclude<RecordRow['state'], 'running'>;
  /** Milliseconds since the epoch, by the clock of the database: when the settlement of its batch began. */
  readonly endedAt: number;
}
export interface EndedRecordsQuery {
  readonly pipeline: string;
  readonly scope: string;
  /** Part of the key. */
  readonly mark: string;
  /** Milliseconds since the epoch, by the clock of the database; `to` is excluded. */
  readonly from: number;
  readonly to: number;
}
export interface EndedRecordsStore {
  /** Milliseconds since the epoch now, by the clock that `endedAt` is read from. */
  clock(): Promise<number>;
  count(query: EndedRecordsQuery): Promise<number>;
  /** In order of time; a few seconds of time per query, so that however many there are, few are in memory. */
  read(query: EndedRecordsQuery): AsyncIterable<EndedRecordRow>;
}
