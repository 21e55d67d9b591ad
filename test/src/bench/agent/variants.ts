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

/** Every policy that is trained, by name. */
export const VARIANTS: { readonly [name: string]: Variant } = {
  ...Object.fromEntries(SEEDS.map((seed) => [`a3c-${seed}`, { settings: { seed } }])),
  'ppo-1': { algorithm: 'ppo', settings: { seed: 1 } },
  'plain-reward-1': { settings: { seed: 1, reward: 'plain', k: { least: 20, most: 20 } } },
  'other-lengths-1': { settings: { seed: 1 }, otherLengths: true },
};
