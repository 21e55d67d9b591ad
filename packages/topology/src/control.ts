/** What the workflow that controls an allocation and its activities say to each other. */

/** Control has a queue and a Worker of its own: no backfill and no stall of the data plane can hold it up. */
export const ALLOCATION_QUEUE = 'autoflow-allocation';

export interface AllocationInput {
  readonly pipeline: string;
  /** Continues as new after so many steps even if Temporal does not suggest it yet; default 500. */
  readonly stepsPerRun?: number;
}

export interface ControlStepRequest {
  readonly pipeline: string;
  /** Whose steps these are: of two controllers of one pipeline only one decides. */
  readonly holder: string;
}

/** Without `waitMs` there is nothing to control any more. */
export interface ControlStepAnswer {
  readonly waitMs?: number;
}

export interface ControlActivities {
  /** One decision: observes the interval, decides, and sets the allocation if it may. Safe to repeat: an interval is decided once. */
  controlStep(request: ControlStepRequest): Promise<ControlStepAnswer>;
}
