/** What workflows ask of replay, and what it tells: recorded records run again, nothing outside is touched. */

/** Hosts with the role `functions` take from it: a replay runs in instances, under the memory limits of the version. */
export const REPLAY_QUEUE = 'autoflow-replay';

export interface ShadowRequest {
  readonly pipeline: string;
  /** The candidate, which is replayed. */
  readonly version: string;
  /** Its recordings are what is compared with: normally the stable version. May be of another release. */
  readonly against: string;
  /** At most so many records, the latest recorded first. */
  readonly sample: number;
}

/** Names no value of a record: it goes into histories and answers of APIs. */
export interface ShadowDifference {
  readonly key: string;
  /** Where the two parted first, as far as it is known; absent when only the outcomes differ. */
  readonly function?: string;
  readonly field?: string;
  /** In words, for example `answers another value`, `writes with other arguments`, `is filtered, was completed`. */
  readonly what: string;
}

/** Every record of the sample is counted once: `compared` (of them `different`) or `notComparable`. */
export interface ShadowReport {
  readonly compared: number;
  readonly different: number;
  /** A `read` was asked what was never recorded (a new function, or what was recorded is gone), or the record cannot be replayed: says nothing for or against. */
  readonly notComparable: number;
  /** Of the records that are not comparable: how often which function had no answer; most frequent first, at most `SHADOW_SHOWN`. */
  readonly unanswered: readonly { readonly function: string; readonly records: number }[];
  /** At most `SHADOW_SHOWN`, at most one per record. */
  readonly differences: readonly ShadowDifference[];
}
export const SHADOW_SHOWN = 20;

/** A version that changes one record in seven is seen in so many with a probability of 95 %. */
export const SHADOW_MINIMUM = 20;

/**
 * What a shadow over the latest `sample` records leads to. A single record that came out otherwise takes the version back. It passes when at least
 * `SHADOW_MINIMUM` records (of a sample of fewer than twice as many, half) and no fewer than could not be compared came out the same. All else says
 * nothing against it: another time there may be enough.
 */
export function shadowVerdict(
  { compared, different, differences, notComparable }: ShadowReport,
  sample: number,
): { readonly decision: 'advance' | 'roll-back' | 'abort'; readonly reason: string } {
  if (different > 0) {
    const shown = differences
      .slice(0, 3)
      .map(({ key, what, ...where }) => `${key}${where.function === undefined ? '' : ` in ${where.function}`} ${what}`);
    return { decision: 'roll-back', reason: `in shadow ${different} of ${compared} records came out otherwise: ${shown.join('; ')}` };
  }
  const minimum = Math.min(SHADOW_MINIMUM, Math.ceil(sample / 2));
  if (compared >= minimum && compared >= notComparable) return { decision: 'advance', reason: `${compared} records came out the same` };
  const found =
    compared + notComparable === 0
      ? 'nothing was recorded'
      : `only ${compared} of ${compared + notComparable} recorded records could be compared`;
  return {
    decision: 'abort',
    reason: `not comparable in shadow yet: ${found}; it takes ${minimum}, and half of what is recorded. Let more be recorded (AUTOFLOW_RECORD_SHARE), or skip the shadow if you are certain`,
  };
}

export interface CalibrationRequest {
  /** Of this calibration: its measurements bear it. */
  readonly id: string;
  readonly pipeline: string;
  /** Whose release is measured, in the topology as written; default: the stable one. */
  readonly version?: string;
  /** MB; at least three tell how a function slows down as memory gets scarce. */
  readonly memoryMb: readonly number[];
}
export interface CalibrationReport {
  readonly pipeline: string;
  readonly version: string;
  /** Recorded inputs that were used. */
  readonly records: number;
  /** At every memory size. */
  readonly batchSizes: readonly number[];
  /** Per function and memory size. */
  readonly measured: readonly {
    readonly function: string;
    readonly memoryMb: number;
    /** Invocations that were measured; 0: with so little memory it does not run. */
    readonly invocations: number;
    /** Median over the larger batches. */
    readonly cpuMsPerRecord?: number;
    readonly peakMemoryMb?: number;
  }[];
  /** Functions that touch what is outside: these were answered from recordings, and are measured while they live. */
  readonly notMeasured: readonly string[];
}

export interface CalibrationActivities {
  /**
   * Runs recorded inputs through the functions of a release at each memory size, and writes what they took as measurements apart from those of
   * versions. Heartbeats; may be run again. Fails for good with `NOT_RECORDED` when too little is recorded.
   */
  calibrate(request: CalibrationRequest): Promise<CalibrationReport>;
}

export interface ShadowActivities {
  /**
   * Runs recorded inputs through the version: `read` functions are answered from recordings, writes are not performed, and their
   * arguments are compared by digest. Heartbeats; can be killed and run again anywhere. Without recordings it answers `compared: 0`.
   * Fails for good (`UNKNOWN_PIPELINE`) when the pipeline or a version is not there.
   */
  shadow(request: ShadowRequest): Promise<ShadowReport>;
}
