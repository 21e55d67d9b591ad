import type { AgentSettings } from '@autoflow/learning';

export interface Variant {
  readonly algorithm?: 'ppo';
  readonly settings: Partial<AgentSettings>;
  /** Trained on the pipelines that are shorter and longer than the others: what is lost by not having seen them. */
  readonly otherLengths?: boolean;
}

export const SEEDS = [1, 2, 3, 4, 5] as const;
/** Scenarios that checkpoints are selected on. */
export const VALIDATED = 30;

/** Short trainings of equal steps, to compare algorithms, rewards and lengths by. */
export const SHORT = ['a3c-short', 'ppo-short', 'plain-reward-short', 'other-lengths-short'] as const;

/** Every policy that is trained, by name. */
export const VARIANTS: { readonly [name: string]: Variant } = {
  ...Object.fromEntries(SEEDS.map((seed) => [`a3c-${seed}`, { settings: { seed } }])),
  'a3c-short': { settings: { seed: 1 } },
  'ppo-short': { algorithm: 'ppo', settings: { seed: 1 } },
  'plain-reward-short': { settings: { seed: 1, reward: 'plain', k: { least: 20, most: 20 } } },
  'other-lengths-short': { settings: { seed: 1 }, otherLengths: true },
};
