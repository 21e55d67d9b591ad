/** A sample of what came in and of what functions answered: for calibration and shadow. Stored data, shown by no API and in no log. */
import type { Fields } from '@autoflow/pipeline';
import type { ObservedAnswer } from '@autoflow/pipeline/runtime';
import type { FunctionHashes } from './bundles.model.js';

/** A record of a pipeline. */
export interface RecordName {
  readonly scope: string;
  readonly key: string;
}

/** A record as it arrived. */
export interface RecordedInput extends RecordName {
  readonly pipeline: string;
  readonly arrivedAt: Date;
  readonly record: Fields;
}

/** What a function was asked about one record, a call for the record or for each of its children, and what it answered. */
export interface RecordedCalls extends RecordName {
  readonly pipeline: string;
  /** Hash of the function (`FunctionHashes`): what another release's function of the same code and declaration would answer too. */
  readonly function: string;
  readonly node: string;
  /** JSON of a list of `RecordedCall`. */
  readonly calls: string;
}
export interface RecordedCall {
  /** Absent where there is none to see (a reduce), and where only the digest is kept. */
  readonly input?: Fields;
  /** Of a function with a write effect, `recordDigest` of the input. */
  readonly digest?: string;
  readonly answer: ObservedAnswer;
}

/** A recorded input whose record has an outcome. */
export interface RecordedOutcome extends RecordedInput {
  readonly outcome: {
    readonly state: 'completed' | 'filtered' | 'dead';
    /** Of a filtered record the filter, of a dead one the function. */
    readonly by?: string;
    /** Of a filtered record the reason, of a dead one the code. */
    readonly reason?: string;
    readonly output?: Fields;
  };
}

export interface RecordingBounds {
  readonly days: number;
  /** Of the inputs of a pipeline, and of the calls of a function: the latest so many, and of these the latest so many bytes. */
  readonly rows: number;
  readonly bytes: number;
}

export interface RecordingStore {
  /** The latest of a record, and of a record and a function, counts. */
  writeInputs(rows: readonly RecordedInput[]): Promise<void>;
  writeCalls(rows: readonly RecordedCalls[]): Promise<void>;
  /**
   * Recorded inputs, the latest first; with `release` only those whose outcome is of that release. `answered` are functions that every
   * completed record passes: records for which their answers are written come before all others, of a filtered or dead record the answer
   * of the one that ended it.
   */
  sample(request: { pipeline: string; release?: string; answered?: FunctionHashes; limit: number }): Promise<RecordedOutcome[]>;
  /** Of these records all that was recorded of these functions (by hash). */
  calls(request: { pipeline: string; records: readonly RecordName[]; functions: readonly string[] }): Promise<RecordedCalls[]>;
  /** Removes what is too old or too much. */
  maintain(bounds: RecordingBounds): Promise<void>;
}
