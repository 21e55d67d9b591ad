/** Arms: which version a record gets, by the hash of its key. */
import type { Actor } from './definitions.model.js';

/** `pinned`: the record names its version itself. */
export type Arm = 'stable' | 'candidate' | 'control' | 'holdout' | 'pinned';

/** `share` is of 10,000 buckets. */
export interface ArmShare {
  readonly version: string;
  readonly share: number;
}
export interface Arms {
  /** Gets what the others leave. */
  readonly stable: { readonly version: string; readonly revision: number };
  readonly candidate?: ArmShare;
  /**
   * A slice whose batches fill by themselves, as large as the arm that it is compared with: of the stable version beside a candidate, or beside a holdout
   * that is left alone with it; of the candidate where that has most of the traffic, beside the holdout.
   */
  readonly control?: ArmShare;
  readonly holdout?: ArmShare;
  /** Of candidate, holdout and pause together; the stable pointer has its own. */
  readonly revision: number;
  /** Operators hold its feeding up: records are accepted and wait. */
  readonly feedingPaused: boolean;
}

export interface ArmsStore {
  arms(pipeline: string): Promise<Arms | undefined>;
  /**
   * Replaces candidate, control and holdout (absent: none), after the batches that are being opened with those before: once it has resolved, no batch
   * is opened any more by the old arms. Absent, control is `controlBeside` the holdout. `revision` undefined: no condition. Throws `StaleRevisionError`
   * when somebody was faster.
   */
  setArms(request: {
    pipeline: string;
    candidate?: ArmShare;
    control?: ArmShare;
    holdout?: ArmShare;
    revision?: number;
    by: Actor;
  }): Promise<Arms>;
  /**
   * Paused, no batch is opened for records of the inbox any more; what is open goes on. `revision` undefined: no condition. Throws
   * `StaleRevisionError` when somebody was faster.
   */
  setFeeding(request: { pipeline: string; paused: boolean; revision?: number; by: Actor }): Promise<Arms>;
}

/** What a key falls to, by its bucket (`bucketOf`). */
export function armOf(arms: Arms, bucket: number): { readonly arm: Exclude<Arm, 'pinned'>; readonly version: string } {
  const isIn = (arm: Exclude<Arm, 'pinned'>): boolean => {
    const [from, to] = bucketsOf(arms, arm) ?? [0, -1];
    return from <= bucket && bucket <= to;
  };
  const arm = (['candidate', 'control', 'holdout'] as const).find(isIn) ?? 'stable';
  return { arm, version: arms[arm]!.version };
}

/** First and last bucket of an arm; undefined when it gets none. The holdout has the lowest, the candidate the highest, below it the control. */
export function bucketsOf(
  arms: Pick<Arms, 'candidate' | 'control' | 'holdout'>,
  arm: Exclude<Arm, 'pinned'>,
): readonly [number, number] | undefined {
  const holdout = arms.holdout?.share ?? 0;
  const candidate = BUCKETS - (arms.candidate?.share ?? 0);
  const control = candidate - (arms.control?.share ?? 0);
  const [from, to] = {
    holdout: [0, holdout],
    stable: [holdout, control],
    control: [control, candidate],
    candidate: [candidate, BUCKETS],
  }[arm] as [number, number];
  return from < to ? [from, to - 1] : undefined;
}

export const BUCKETS = 10_000;

/**
 * What a holdout is compared with where no candidate has traffic: a slice of the stable version as large as it. None of a version beside itself, nor
 * beside a holdout that leaves less than it has.
 */
export function controlBeside(stable: string, holdout?: ArmShare, candidate?: ArmShare): ArmShare | undefined {
  if (holdout === undefined || holdout.version === stable || (candidate?.share ?? 0) > 0 || 2 * holdout.share > BUCKETS) return undefined;
  return { version: stable, share: holdout.share };
}
