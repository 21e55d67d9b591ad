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
    };
    readonly answer: { readonly kind: 'begun'; readonly fresh: Float32Array };
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

export function startLearner(program: string): LearnerChild {
  return startChild(program);
}
