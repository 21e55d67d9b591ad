/** Where the records of a backfill come from. */
import type { Fields } from '@autoflow/pipeline';

/** A record, or (with `problem`) something that stands where a record should be. */
export interface SourceRecord {
  readonly fields: Fields;
  /** `line 12`, `row 3`: for messages. */
  readonly where: string;
  readonly problem?: string;
}

export interface Source {
  /** The same records in the same order each time; the first `skip` of them are left out. */
  records(skip: number): AsyncIterable<SourceRecord>;
  /** How many there are, where that can be told without reading all records. */
  total(): Promise<number | undefined>;
}

export type SourceErrorCode =
  | 'SOURCE_FORBIDDEN'
  | 'SOURCE_MISSING'
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_CORRUPT'
  | 'SOURCE_TRUNCATED'
  | 'SOURCE_NOT_TEXT'
  | 'SOURCE_LINE_TOO_LONG'
  | 'SOURCE_HEADER'
  | 'SOURCE_ROW'
  | 'SOURCE_SCATTERED'
  | 'SOURCE_NOT_JSONL'
  | 'SOURCE_QUERY'
  | 'SOURCE_SECRET';

/**
 * Terminal for the backfill: the source is not what it should be. `message` says what was found, where, and what to do. It never quotes what
 * the source holds: viewers read it as the backfill's reason.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly retryable = false;
  constructor(
    readonly code: SourceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
