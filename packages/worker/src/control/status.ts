/** What is kept of a controlled pipeline between two decisions: the store holds it as JSON, the API shows it. */
import type { Compared } from '@autoflow/optimizer';
import type { StageAllocation } from '@autoflow/topology';
import type { ControlTick } from '@autoflow/twin';

/** `shadow`: nothing is set. `fallback`: the rule decides what is set. `acting`: the agent does. */
export type ControlMode = 'off' | 'shadow' | 'fallback' | 'acting';

export interface ControlStatus {
  readonly mode: ControlMode;
  readonly why: string;
  readonly version?: string;
  /** Whether the agent has beaten the fallback, by the latest comparisons. */
  readonly agentStands: boolean;
  /** The latest, the oldest first. */
  readonly comparisons: readonly Comparison[];
  /** Intervals since the last of them. */
  readonly sinceComparison: number;
}

/** What agent and fallback would have made, in the twin, of the arrivals that were observed. */
export interface Comparison {
  readonly at: string;
  readonly intervals: number;
  readonly agent: Compared;
  readonly fallback: Compared;
}

/** An interval as it is kept: what the controller is shown, and what the next interval is counted from. */
export interface KeptTick {
  readonly tick: ControlTick;
  /** Batches by stage, and records in the inbox, at its end. */
  readonly present: { readonly [stage: string]: number };
  readonly waitingRecords: number;
  /** Nothing before it is remembered: there was a gap. */
  readonly anew: boolean;
}

export interface KeptDecision {
  readonly mode: ControlMode;
  readonly why: string;
  readonly stages: { readonly [stage: string]: DecidedStage };
  /** Of the allocation that was set; undefined: nothing was to be changed, or might be. */
  readonly revision?: number;
  /** Why it could not be set. */
  readonly refused?: string;
}
export interface DecidedStage {
  readonly now: StageAllocation;
  readonly wanted: StageAllocation;
  /** What the rule wants. */
  readonly fallback: StageAllocation;
  readonly reason: string;
}

export const UNPROVEN: Pick<ControlStatus, 'agentStands' | 'comparisons' | 'sinceComparison'> = {
  agentStands: false,
  comparisons: [],
  sinceComparison: 0,
};
