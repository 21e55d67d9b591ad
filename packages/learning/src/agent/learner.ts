import type { TensorBackend } from '../backend.js';
import { descend, freshAdam, type AdamState } from './adam.js';
import { gradientOf } from './gradient.js';
import { freshParameters, Inference } from './network.js';
import { Rollouts, type ScenarioSource } from './rollouts.js';
import type { AgentSettings } from './settings.js';

/** Where a learner stands; all that another one needs to go on. */
export interface LearnerState {
  readonly parameters: Float32Array;
  readonly adam: AdamState;
  readonly steps: number;
  readonly episodes: number;
}

/** Plays and learns: one update after another, deterministic given settings, scenarios and backend. `rest` is called between pieces of some milliseconds. */
export class Learner {
  steps: number;
  readonly parameters: Float32Array;
  private readonly adam: AdamState;
  private readonly inference: Inference;
  private readonly rollouts: Rollouts;

  constructor(
    private readonly backend: TensorBackend,
    private readonly settings: AgentSettings,
    scenarioOf: ScenarioSource,
    from?: LearnerState,
    private readonly rest: () => void = () => undefined,
  ) {
    this.parameters = Float32Array.from(from?.parameters ?? freshParameters(settings.seed));
    this.adam = from
      ? { mean: Float32Array.from(from.adam.mean), square: Float32Array.from(from.adam.square), updates: from.adam.updates }
      : freshAdam(this.parameters.length);
    this.steps = from?.steps ?? 0;
    this.inference = new Inference(this.parameters);
    this.rollouts = new Rollouts(scenarioOf, settings, from?.episodes ?? 0, rest);
  }

  /** A horizon of every environment, and what it teaches. */
  update(): void {
    const { entropy, steps, epochs, algorithm, ratioClip } = this.settings;
    const { experience, steps: played } = this.rollouts.collect(this.inference);
    const progress = Math.min(1, this.steps / steps);
    const loss = {
      entropy: entropy.from + (entropy.to - entropy.from) * progress,
      ...(algorithm === 'ppo' ? { ratioClip } : {}),
    };
    for (let epoch = 0; epoch < epochs; epoch++) {
      descend(this.parameters, gradientOf(this.backend, this.parameters, experience, loss), this.adam, this.settings);
      this.rest();
    }
    this.steps += played;
  }

  /** As of now; later updates do not change it. */
  get state(): LearnerState {
    return {
      parameters: Float32Array.from(this.parameters),
      adam: { mean: Float32Array.from(this.adam.mean), square: Float32Array.from(this.adam.square), updates: this.adam.updates },
      steps: this.steps,
      episodes: this.rollouts.episodes,
    };
  }
}
