import { ControlEnvironment, EPISODE_STEPS, randomScenario, syntheticFunctions, type ControlScenario } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import { ACTION_COUNT, instancesOf } from './actions.js';
import type { Experience } from './gradient.js';
import { freshParameters, Inference, LAYOUT } from './network.js';
import { OBSERVED, observe, placesOf } from './observation.js';
import { rewards } from './reward.js';
import { Rollouts } from './rollouts.js';
import { A3C, type AgentSettings } from './settings.js';

const functions = syntheticFunctions(10, 1);
const scenarioOf = (seed: number): ControlScenario => randomScenario(seed, { functions, split: 'train', stages: { least: 3, most: 3 } });
const STAGES = 3;
const HORIZON = 8;

/** A critic that expects something: a fresh one expects next to nothing, and would hide what it is used for. */
const parameters = freshParameters(3);
for (let i = LAYOUT[4]!.weights; i <= LAYOUT[4]!.biases; i++) parameters[i] = parameters[i]! * 20 + 0.3;
const inference = (): Inference => new Inference(parameters);

interface Replayed {
  /** By step, then by stage. */
  readonly rewards: readonly Float64Array[];
  /** One more than steps: of what comes after the last. */
  readonly values: readonly Float32Array[];
}

/** The episode of one environment again, from its actions alone. */
function replayed({ actions, observations }: Experience, seed: number): Replayed {
  const environment = new ControlEnvironment(scenarioOf(seed));
  const { state } = environment;
  const k = 20 * Math.exp(1.5 * observations[OBSERVED - 1]!);
  const [gained, values]: [Float64Array[], Float32Array[]] = [[], []];
  const value = (): void => {
    const seen = observe(state, placesOf(state.pipeline), k, new Float32Array(STAGES * OBSERVED));
    values.push(Float32Array.from(inference().value(seen, STAGES).subarray(0, STAGES)));
  };
  for (let t = 0; t < actions.length / STAGES; t++) {
    value();
    environment.step(
      state.pipeline.stages.map(({ concurrency: { min, max } }, s) => ({
        concurrency: Math.max(min, Math.min(max, instancesOf(actions[t * STAGES + s]!, s, state))),
        memoryMb: state.memoryMb[s]!,
      })),
    );
    gained.push(rewards(environment, k, 'in-slo'));
  }
  value();
  return { rewards: gained, values };
}

function collected(of: Partial<AgentSettings>): Experience {
  const settings: AgentSettings = { ...A3C, seed: 2, environments: 1, horizon: HORIZON, ...of };
  const { experience, steps } = new Rollouts(scenarioOf, settings).collect(inference());
  expect(steps).toBe(settings.horizon);
  return experience;
}

describe('what an environment teaches', () => {
  it('n-step returns are the discounted rewards, and beyond the horizon what the critic says (λ = 1)', () => {
    const experience = collected({ discount: 0.9 });
    const { rewards: gained, values } = replayed(experience, 2_000_000);
    expect(gained.some((stages) => stages.some((reward) => reward < -0.01))).toBe(true);
    for (let t = 0; t < HORIZON; t++)
      for (let s = 0; s < STAGES; s++) {
        let expected = 0.9 ** (HORIZON - t) * values[HORIZON]![s]!;
        for (let later = t; later < HORIZON; later++) expected += 0.9 ** (later - t) * gained[later]![s]!;
        expect(experience.returns[t * STAGES + s]).toBeCloseTo(expected, 4);
      }
  });

  it.each([1, 0.7, 0])('advantages are sums of (γλ)ⁱ·δ (λ = %d), divided by their standard deviation', (lambda) => {
    const experience = collected({ discount: 0.9, lambda });
    const { rewards: gained, values } = replayed(experience, 2_000_000);
    const expected = Array.from({ length: HORIZON * STAGES }, (_, row) => {
      const [from, s] = [Math.floor(row / STAGES), row % STAGES];
      let sum = 0;
      for (let t = from; t < HORIZON; t++)
        sum += (0.9 * lambda) ** (t - from) * (gained[t]![s]! + 0.9 * values[t + 1]![s]! - values[t]![s]!);
      return sum;
    });
    expected.forEach((advantage, row) =>
      expect(experience.returns[row]).toBeCloseTo(advantage + values[Math.floor(row / STAGES)]![row % STAGES]!, 4),
    );
    const mean = expected.reduce((sum, one) => sum + one, 0) / expected.length;
    const deviation = Math.sqrt(expected.reduce((sum, one) => sum + (one - mean) ** 2, 0) / expected.length);
    expected.forEach((advantage, row) => expect(experience.advantages[row]).toBeCloseTo(advantage / deviation, 3));
  });

  it('log π is that of the action that was taken', () => {
    const experience = collected({});
    const logits = inference().act(experience.observations, HORIZON * STAGES);
    experience.actions.forEach((action, row) => {
      const [at, open] = [row * ACTION_COUNT, (a: number) => experience.open[row * ACTION_COUNT + a] === 1];
      expect(open(action)).toBe(true);
      const total = Array.from({ length: ACTION_COUNT }, (_, a) => (open(a) ? Math.exp(logits[at + a]!) : 0)).reduce(
        (sum, one) => sum + one,
        0,
      );
      expect(experience.logProbabilities[row]).toBeCloseTo(logits[at + action]! - Math.log(total), 4);
    });
  });

  it('the end of an episode is no end of the world: what would come is worth what the critic says', () => {
    const experience = collected({ horizon: EPISODE_STEPS, discount: 0.9 });
    const { rewards: gained, values } = replayed(experience, 2_000_000);
    const last = EPISODE_STEPS - 1;
    for (let s = 0; s < STAGES; s++)
      expect(experience.returns[last * STAGES + s]).toBeCloseTo(gained[last]![s]! + 0.9 * values[last + 1]![s]!, 4);
  });
});
