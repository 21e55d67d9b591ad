import type { RewardKind } from './reward.js';

export interface AgentSettings {
  readonly algorithm: 'a3c' | 'ppo';
  readonly reward: RewardKind;
  readonly seed: number;
  /** Decisions in all. */
  readonly steps: number;
  readonly learningRate: number;
  /** γ. */
  readonly discount: number;
  /** Decisions of each environment between two updates. */
  readonly horizon: number;
  /** λ of generalised advantages; 1: n-step returns. */
  readonly lambda: number;
  readonly environments: number;
  /** From the first decision to the last. */
  readonly entropy: { readonly from: number; readonly to: number };
  /** Most of the gradient's norm. */
  readonly clip: number;
  /** What a late record costs, drawn log-uniformly per episode. */
  readonly k: { readonly least: number; readonly most: number };
  /** Passes over one experience, and the clipped ratio: PPO only. */
  readonly epochs: number;
  readonly ratioClip: number;
}

/** Learning rate and γ are the paper's. */
export const A3C: AgentSettings = {
  algorithm: 'a3c',
  reward: 'in-slo',
  seed: 1,
  steps: 500_000,
  learningRate: 1e-3,
  discount: 0.99,
  horizon: 5,
  lambda: 1,
  environments: 16,
  entropy: { from: 0.02, to: 0.001 },
  clip: 0.5,
  k: { least: 5, most: 150 },
  epochs: 1,
  ratioClip: 0,
};

export const PPO: AgentSettings = { ...A3C, algorithm: 'ppo', horizon: 20, lambda: 0.95, epochs: 4, ratioClip: 0.2 };
