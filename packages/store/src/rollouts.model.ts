/** Rollouts: one at a time per pipeline, from its start to its end; and what versions have been. */
import type { RolloutOutcome, RolloutPhase, RolloutSettings, RolloutState, ShadowReport, Topology } from '@autoflow/topology';
import type { ArmShare } from './arms.model.js';
import type { Actor } from './definitions.model.js';

/** By a rollout that was rolled back, by what was measured or by somebody's hand. */
export interface TakenBack {
  readonly rollout: string;
  readonly version: string;
  readonly outcome: string;
  readonly topology: Topology;
}
/** One step of the canary; milliseconds since the epoch by the clock of the database. */
export interface RolloutStep {
  /** Of the traffic outside the holdout. */
  readonly percent: number;
  readonly from: number;
  /** Absent: it is the present one. */
  readonly to?: number;
  /**
   * Above 50 %: of the candidate a slice as large as the holdout is the control arm, and compared with that. Absent: the candidate has less than the
   * holdout, or got its shares before there were slices, and all of it is compared.
   */
  readonly sliced?: true;
}
/** What a candidate did to traffic, in the whole canary. */
export interface RolloutHarm {
  /** That the candidate ran, and their share of all that arrived meanwhile. */
  readonly records: number;
  readonly share: number;
  readonly dead: number;
  /** Of all batches of the candidate, warm-up included, in US dollars; and how much of it the baseline would not have cost. */
  readonly costUsd: number;
  readonly extraUsd: number;
}
export interface RolloutRow {
  readonly id: string;
  readonly pipeline: string;
  readonly version: string;
  /** The stable version when it began. */
  readonly baseline: string;
  /** AutoFlow started it by itself: it asks at each step whether it may. */
  readonly own: boolean;
  readonly actor: string;
  readonly reason: string;
  readonly settings: RolloutSettings;
  readonly state: RolloutState;
  readonly paused: boolean;
  readonly steps: readonly RolloutStep[];
  /** Milliseconds of the canary between evaluations that both found it paused or frozen: what is only part of a period is not counted. */
  readonly heldMs: number;
  /** Since when it is proved and waits for somebody's word; what is added to `heldMs` meanwhile is added to this. Absent: it is not proved. */
  readonly provedAt?: Date;
  /** As it was before. */
  readonly holdout?: ArmShare;
  readonly shadow?: ShadowReport;
  /** The last one (`Judgement` of `@autoflow/experiment`). */
  readonly judgement?: unknown;
  readonly harm?: RolloutHarm;
  /** Why it ended as it did. */
  readonly outcome?: string;
  readonly createdAt: Date;
  readonly endedAt?: Date;
}
export interface RolloutEvaluationRow {
  readonly number: number;
  readonly at: Date;
  readonly percent: number;
  readonly decision: string;
  readonly reason: string;
  readonly judgement: unknown;
}

export interface RolloutStore {
  /**
   * `RolloutRefusedError` for the stable version itself and for one with a function that the newest release has no more; `RolloutActiveError`
   * while another one has not ended. What is AutoFlow's `own` is refused, too, where its topology is `takenBack`, and for a version of another release
   * than the stable one. The same id again answers the row there is.
   */
  create(row: Pick<RolloutRow, 'id' | 'pipeline' | 'version' | 'own' | 'settings'>, by: Actor): Promise<RolloutRow>;
  get(id: string): Promise<RolloutRow | undefined>;
  /** Newest first; `after` is an id. */
  list(pipeline: string, page: { limit: number; after?: string }): Promise<RolloutRow[]>;
  /** Of all pipelines. */
  active(): Promise<RolloutRow[]>;
  /** Why the version may get no traffic (any more): a function of it that the newest release that nobody went back from has no more. */
  outdated(pipeline: string, version: string): Promise<string | undefined>;
  /**
   * What AutoFlow does not try again by itself: rolled back under the decision that holds and, once that has expired, since then. With the code of a
   * release: another code of one of its functions is another try.
   */
  takenBack(pipeline: string, release: string): Promise<TakenBack[]>;
  enter(id: string, phase: RolloutPhase, by: Actor, shadow?: ShadowReport): Promise<RolloutRow>;
  /**
   * Gives the arms the shares of a step of the settings (from 0), in one transaction with the row. Again: changes nothing. The row answers
   * `superseded` if somebody has moved the arms meanwhile, and is unchanged while it is paused.
   */
  step(id: string, step: number, by: Actor): Promise<RolloutRow>;
  /** `await-approval` marks it as proved. `held`: it is paused or frozen. The time since the evaluation before is added to `heldMs` where that one found it so, too. */
  evaluated(id: string, evaluation: Omit<RolloutEvaluationRow, 'number' | 'at'> & { readonly held: boolean }): Promise<void>;
  /** The newest, newest first. */
  evaluations(id: string, limit: number): Promise<RolloutEvaluationRow[]>;
  pause(id: string, paused: boolean, by: Actor): Promise<RolloutRow>;
  /**
   * Moves the traffic and ends the row in one transaction: promoted, the candidate is stable and the baseline the holdout; else candidate and
   * control are gone and the holdout is what it was before. An end is for good: again, the row there is. `unlessPaused`: a paused one goes on.
   */
  end(request: { id: string; outcome: RolloutOutcome; unlessPaused?: boolean; by: Actor }): Promise<RolloutRow>;
  /**
   * For whoever said that it is to end while it was being promoted. In one transaction the baseline is stable again, arms are as they were before the
   * rollout, and it has ended as the outcome says. The row as it is where it did not end promoted, or where another version is stable by now.
   */
  undoPromotion(request: { id: string; outcome: 'rolled-back' | 'aborted'; by: Actor }): Promise<RolloutRow>;
  /** What the candidate of an ended rollout has done; the first answer stays. */
  charge(id: string, harm: RolloutHarm): Promise<void>;
  /** US dollars that AutoFlow's own canaries that have ended since cost beyond what they were compared with; one that cost less takes nothing off. */
  explored(pipeline: string, since: Date): Promise<number>;
  /** Of rollouts that ended before; and the closed blocks of all that have ended, as nobody evaluates them again. */
  removeEvaluations(before: Date): Promise<void>;
  /** Ended in the last days that are measured, with canary traffic, and not charged yet; of all pipelines. */
  uncharged(): Promise<RolloutRow[]>;
}

export type VersionStatus = 'registered' | 'shadow' | 'canary' | 'stable' | 'retired' | 'rolled-back' | 'expired';
export interface VersionStatusRow {
  readonly status: VersionStatus;
  readonly at: Date;
  readonly actor: string;
  readonly reason: string;
}
