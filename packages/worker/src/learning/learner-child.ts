import { startChild, type AskedChild } from './asked-child.js';

/** What a learner's process is asked and answers: the names of `@autoflow/learning/learner`, which this package must not load. */
type LearnerProtocol = {
  readonly begin: {
    readonly request: {
      readonly kind: 'begin';
      readonly settings: object;
      readonly learner: number;
      readonly functions?: readonly object[];
      readonly state?: Uint8Array;
      readonly beside?: number;
    };
    readonly answer: { readonly kind: 'begun'; readonly fresh: Float32Array; readonly network: object; readonly data: object };
  };
  readonly learn: {
    readonly request: { readonly kind: 'learn'; readonly weights: Float32Array; readonly steps: number; readonly updates: number };
    readonly answer: { readonly kind: 'learned'; readonly delta: Float32Array; readonly steps: number; readonly state: Uint8Array };
  };
  readonly validate: {
    readonly request: { readonly kind: 'validate'; readonly weights: Float32Array };
    readonly answer: { readonly kind: 'validated'; readonly score: number; readonly cost: number; readonly late: number };
  };
};

export type LearnerChild = AskedChild<LearnerProtocol>;

/** It tells of each update and of each episode that it is judged by: one that says nothing for so long hangs. */
export const SILENT_MS = 120_000;

/** `heard` is called whenever it says anything while it is asked. */
export function startLearner(program: string, heard: () => void, silentMs = SILENT_MS): LearnerChild {
  return startChild(program, { told: heard, silentMs });
}
