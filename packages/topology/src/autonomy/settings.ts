import type { TrainingOrder } from '../training.js';

/** How far AutoFlow may go with a pipeline by itself. Whoever acts without being told to asks `mayAct` first. */
export const AUTONOMY = ['off', 'suggest', 'canary', 'auto'] as const;
/** Each may do what those before it may: nothing; propose versions; send canary traffic to them; promote them and set allocations. */
export type Autonomy = (typeof AUTONOMY)[number];

export interface OperationSettings {
  readonly autonomy: Autonomy;
  /** While one of them holds, AutoFlow changes nothing by itself. */
  readonly freezes: readonly FreezeWindow[];
  /** The version that AutoFlow may not lead traffic away from. */
  readonly pinned?: string;
  /** What proposals are made for; without it, cost. */
  readonly objective?: Objective;
  /** A better version is searched for so often, such as `1h`; without it, when somebody asks. */
  readonly optimizeEvery?: string;
  /** Of optimizations that a schedule or an expired decision has begun; without it, `auto`. */
  readonly optimizeTraining?: OwnTraining;
  /** US dollars that AutoFlow's own canaries of any `SPEND_CAP_DAYS` may cost together, beyond what they are compared with. */
  readonly spendCapUsd?: number;
  /** Days that a canary that is proved waits for a person to promote it; then it is taken back. Without it, `APPROVAL_DAYS`. */
  readonly approvalDays?: number;
  /** Of memory and instances while it runs; without it, `shadow`. */
  readonly control?: ControlSettings;
}
/**
 * Learners that train the resource agent beside the search. `auto`: one for each live worker with the role `learner`, and none where there is none:
 * whoever starts such workers wants them used, and nobody else waits for what does not come.
 */
export type OwnTraining = 'auto' | 'off' | TrainingOrder;

/** `shadow`: it is decided and shown what would be set, and nothing is. `auto`: whoever stands better in the twin sets it, rule or agent. */
export const CONTROL_MODES = ['off', 'shadow', 'auto'] as const;
export interface ControlSettings {
  readonly mode: (typeof CONTROL_MODES)[number];
  /** Between two decisions; default 15 s. */
  readonly intervalMs?: number;
  /** Instances of all stages together, fleet-wide; default: no bound. */
  readonly instances?: number;
  /** What a late record costs, in memory that the mean load keeps busy for an interval; default 20. */
  readonly lateCost?: number;
}
export interface FreezeWindow {
  /** `Fri 16:00 - Mon 08:00`: every week, by the clocks of the time zone. */
  readonly window: string;
  /** Of IANA, such as `Europe/Berlin`. */
  readonly timeZone: string;
}
export interface Objective {
  readonly minimise: 'cost' | 'latency';
  /** Service level: a plan above it is no candidate. */
  readonly p99Ms?: number;
}

/** What holds where nobody has said anything. */
export const DEFAULT_SETTINGS: OperationSettings = { autonomy: 'suggest', freezes: [], optimizeTraining: 'auto' };
export const SPEND_CAP_DAYS = 30;
export const APPROVAL_DAYS = 7;
export const DEFAULT_CONTROL: ControlSettings = { mode: 'shadow' };
