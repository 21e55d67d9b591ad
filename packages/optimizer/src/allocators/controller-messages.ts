import type { Compared, Decision, Observed } from './live.js';

/** What the thread of a controller is asked and answers; `id` is the question's. */
export type ControllerRequest = { readonly id: number; readonly observed: Observed; readonly lateCost: number } & (
  | { readonly kind: 'decide' }
  /** What agent and fallback would have made of what was observed. */
  | { readonly kind: 'compare' }
);

export type ControllerAnswer =
  | {
      readonly kind: 'decided';
      readonly id: number;
      /** Undefined: there is none, for the reason told. */
      readonly agent?: Decision;
      readonly without?: string;
      /** Hash of the policy that the agent decides by. */
      readonly policy?: string;
      readonly fallback: Decision;
    }
  | { readonly kind: 'compared'; readonly id: number; readonly agent?: Compared; readonly fallback: Compared }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
