import { ControlEnvironment, uniform, type ControlScenario } from '@autoflow/twin';
import { ACTION_COUNT, instancesOf, openActions } from './actions.js';
import type { Experience } from './gradient.js';
import type { Inference } from './network.js';
import { OBSERVED, observe, placesOf, type Places } from './observation.js';
import { rewards } from './reward.js';
import type { AgentSettings } from './settings.js';

/** What a seed stands for; training seeds lie apart from those that are judged on. */
export type ScenarioSource = (seed: number) => ControlScenario;

interface Seat {
  environment: ControlEnvironment;
  places: Places;
  k: number;
}

/** One decision of one environment, with what came of it. */
interface Step {
  readonly stages: number;
  readonly observations: Float32Array;
  readonly open: Uint8Array;
  readonly actions: Int32Array;
  readonly logProbabilities: Float32Array;
  readonly values: Float32Array;
  readonly rewards: Float64Array;
}

/** Environments side by side, so that one gradient has many rows; each begins a new episode, with a new k, when its own is over. */
export class Rollouts {
  /** Episodes begun: where to go on after a checkpoint. */
  episodes: number;
  private readonly random: () => number;
  private readonly seats: Seat[];

  constructor(
    private readonly scenarioOf: ScenarioSource,
    private readonly settings: AgentSettings,
    episodes = 0,
    private readonly rest: () => void = () => undefined,
  ) {
    this.episodes = episodes;
    this.random = uniform(settings.seed * 101 + 7 + episodes * 7919);
    this.seats = Array.from({ length: settings.environments }, (_, i) => this.begin(Math.floor((160 * i) / settings.environments)));
  }

  /** Plays every environment for a horizon. Deterministic for the same parameters. */
  collect(inference: Inference): { readonly experience: Experience; readonly steps: number } {
    const played = this.seats.map((seat) => {
      const steps = this.play(seat, inference);
      this.rest();
      return steps;
    });
    return { experience: joined(played), steps: played.reduce((sum, { steps }) => sum + steps.length, 0) };
  }

  /** Episodes begin out of step with each other: else all would be young together. */
  private begin(skipped = 0): Seat {
    const { seed, k } = this.settings;
    const environment = new ControlEnvironment(this.scenarioOf(seed * 1_000_000 + this.episodes++));
    const drawn = k.least * (k.most / k.least) ** this.random();
    const { state } = environment;
    for (let i = 0; i < skipped; i++)
      environment.step(
        state.pipeline.stages.map(({ concurrency: { min, max } }, s) => ({
          concurrency: Math.max(min, Math.min(max, instancesOf(3, s, state))),
          memoryMb: state.memoryMb[s]!,
        })),
      );
    return { environment, places: placesOf(environment.scenario.pipeline), k: drawn };
  }

  private play(seat: Seat, inference: Inference): Played {
    const steps: Step[] = [];
    while (steps.length < this.settings.horizon && !seat.environment.done) steps.push(this.step(seat, inference));
    const { state } = seat.environment;
    // The end of an episode is a time limit, not an end of the world: what would come is worth what the critic says.
    const last = observe(state, seat.places, seat.k, new Float32Array(state.stages * OBSERVED));
    const beyond = Float32Array.from(inference.value(last, state.stages).subarray(0, state.stages));
    if (seat.environment.done) Object.assign(seat, this.begin());
    return { steps, ...advantagesOf(steps, beyond, this.settings) };
  }

  private step({ environment, places, k }: Seat, inference: Inference): Step {
    const { state } = environment;
    const { stages } = state;
    const observations = observe(state, places, k, new Float32Array(stages * OBSERVED));
    const logits = inference.act(observations, stages);
    const open = new Uint8Array(stages * ACTION_COUNT);
    const actions = new Int32Array(stages);
    const logProbabilities = new Float32Array(stages);
    for (let s = 0; s < stages; s++) {
      openActions(s, state, open, s * ACTION_COUNT);
      const drawn = draw(logits, open, s * ACTION_COUNT, this.random());
      actions[s] = drawn.action;
      logProbabilities[s] = drawn.logProbability;
    }
    const values = Float32Array.from(inference.value(observations, stages).subarray(0, stages));
    environment.step(
      state.pipeline.stages.map(({ concurrency: { min, max } }, s) => ({
        concurrency: Math.max(min, Math.min(max, instancesOf(actions[s]!, s, state))),
        memoryMb: state.memoryMb[s]!,
      })),
    );
    return { stages, observations, open, actions, logProbabilities, values, rewards: rewards(environment, k, this.settings.reward) };
  }
}

/** An action at random by softmax(logits) over the open ones; `luck` in [0, 1). */
function draw(logits: Float32Array, open: Uint8Array, at: number, luck: number): { action: number; logProbability: number } {
  let most = Number.NEGATIVE_INFINITY;
  for (let a = 0; a < ACTION_COUNT; a++) if (open[at + a] === 1 && logits[at + a]! > most) most = logits[at + a]!;
  let total = 0;
  for (let a = 0; a < ACTION_COUNT; a++) if (open[at + a] === 1) total += Math.exp(logits[at + a]! - most);
  let left = luck * total;
  let action = 0;
  for (let a = 0; a < ACTION_COUNT; a++) {
    if (open[at + a] !== 1) continue;
    action = a;
    left -= Math.exp(logits[at + a]! - most);
    if (left <= 0) break;
  }
  return { action, logProbability: logits[at + action]! - most - Math.log(total) };
}

interface Played {
  readonly steps: readonly Step[];
  /** By step, then by stage. */
  readonly advantages: readonly Float64Array[];
  readonly returns: readonly Float64Array[];
}

/** Per stage: δ = r + γV′ − V, A = δ + γλA′, R = A + V. With λ = 1, R is the n-step return. */
function advantagesOf(
  steps: readonly Step[],
  beyond: Float32Array,
  { discount, lambda }: AgentSettings,
): Pick<Played, 'advantages' | 'returns'> {
  const advantages: Float64Array[] = [];
  const returns: Float64Array[] = [];
  for (let t = steps.length - 1; t >= 0; t--) {
    const { stages, values, rewards: gained } = steps[t]!;
    const next = steps[t + 1]?.values ?? beyond;
    const after = advantages[t + 1];
    advantages[t] = new Float64Array(stages);
    returns[t] = new Float64Array(stages);
    for (let s = 0; s < stages; s++) {
      const delta = gained[s]! + discount * next[s]! - values[s]!;
      advantages[t]![s] = delta + discount * lambda * (after?.[s] ?? 0);
      returns[t]![s] = advantages[t]![s]! + values[s]!;
    }
  }
  return { advantages, returns };
}

/** All rows below each other, advantages divided by their standard deviation. */
function joined(played: readonly Played[]): Experience {
  const rows = played.reduce((sum, { steps }) => sum + steps.reduce((own, { stages }) => own + stages, 0), 0);
  const experience: Experience = {
    observations: new Float32Array(rows * OBSERVED),
    open: new Uint8Array(rows * ACTION_COUNT),
    actions: new Int32Array(rows),
    advantages: new Float32Array(rows),
    returns: new Float32Array(rows),
    logProbabilities: new Float32Array(rows),
  };
  let row = 0;
  for (const { steps, advantages, returns } of played)
    steps.forEach((step, t) => {
      experience.observations.set(step.observations, row * OBSERVED);
      experience.open.set(step.open, row * ACTION_COUNT);
      experience.actions.set(step.actions, row);
      experience.logProbabilities.set(step.logProbabilities, row);
      experience.advantages.set(advantages[t]!, row);
      experience.returns.set(returns[t]!, row);
      row += step.stages;
    });
  normalise(experience.advantages);
  return experience;
}

function normalise(values: Float32Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance) + 1e-6;
  for (let i = 0; i < values.length; i++) values[i]! /= deviation;
}
