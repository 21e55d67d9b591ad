import { randomScenario, syntheticFunctions } from '@autoflow/twin';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend, type TensorBackend } from '../backend.js';
import { ACTION_COUNT } from './actions.js';
import { gradientOf, type Experience, type LossSettings } from './gradient.js';
import { Learner, type LearnerState } from './learner.js';
import { freshParameters, Inference, LAYOUT } from './network.js';
import { OBSERVED } from './observation.js';
import type { ScenarioSource } from './rollouts.js';
import { A3C, PPO, type AgentSettings } from './settings.js';

let backend: TensorBackend;
beforeAll(async () => {
  backend = await loadBackend('native', () => undefined);
});

const functions = syntheticFunctions(10, 1);
const scenarioOf: ScenarioSource = (seed) => randomScenario(seed, { functions, split: 'train', stages: { least: 2, most: 3 } });
const settings: AgentSettings = { ...A3C, environments: 3 };

function learned(of: AgentSettings, updates: number): Float32Array {
  const learner = new Learner(backend, of, scenarioOf);
  for (let i = 0; i < updates; i++) learner.update();
  return learner.parameters;
}

describe('a learner', () => {
  it.each([
    ['A3C', settings],
    ['PPO', { ...PPO, environments: 3, horizon: 8 }],
  ])('learns the same from the same seed, and something else from another (%s)', (_, of) => {
    const once = learned(of, 4);
    expect(learned(of, 4)).toEqual(once);
    expect(learned({ ...of, seed: 2 }, 4)).not.toEqual(once);
    expect(once).not.toEqual(freshParameters(of.seed));
  });

  it('rests after what each environment played, and after each gradient', () => {
    let rests = 0;
    new Learner(backend, { ...PPO, environments: 3 }, scenarioOf, undefined, () => void rests++).update();
    expect(rests).toBe(3 + PPO.epochs);
  });

  it('goes on from where another one stood', () => {
    const learner = new Learner(backend, settings, scenarioOf);
    learner.update();
    const next = new Learner(backend, settings, scenarioOf, learner.state);
    expect(next.parameters).toEqual(learner.parameters);
    expect(next.steps).toBe(learner.steps);
    next.update();
    expect(next.state.adam.updates).toBe(learner.state.adam.updates + 1);
    expect(next.state.episodes).toBeGreaterThan(learner.state.episodes);
  });
});

describe('how a learner learns', () => {
  const after = (of: Partial<AgentSettings>, from: Partial<LearnerState> = {}): Float32Array => {
    const began = new Learner(backend, settings, scenarioOf).state;
    const learner = new Learner(backend, { ...settings, ...of }, scenarioOf, { ...began, ...from });
    learner.update();
    return learner.parameters;
  };

  it.each([
    ['at the beginning', 0, 0.5],
    ['a quarter of the way', 25_000, 0.4],
    ['at the end', 100_000, 0.1],
    ['beyond it', 150_000, 0.1],
  ])('the weight of the entropy goes from the first to the last in equal steps: %s', (_, steps, weight) => {
    const of = { steps: 100_000, entropy: { from: 0.5, to: 0.1 } };
    const constant = (entropy: number) => after({ ...of, entropy: { from: entropy, to: entropy } }, { steps });
    expect(after(of, { steps })).toEqual(constant(weight));
    expect(after(of, { steps })).not.toEqual(constant(0.3));
  });

  it('the ratio is clipped by PPO alone, whose epochs are updates of the same experience', () => {
    const ppo: Partial<AgentSettings> = { algorithm: 'ppo', epochs: 4, ratioClip: 0.2 };
    expect(after({ ...ppo, ratioClip: 1e-6 })).not.toEqual(after(ppo));
    const plain: Partial<AgentSettings> = { ...ppo, algorithm: 'a3c' };
    expect(after({ ...plain, ratioClip: 1e-6 })).toEqual(after(plain));
    expect(after(plain)).not.toEqual(after(ppo));
    const learner = new Learner(backend, { ...settings, ...ppo }, scenarioOf);
    learner.update();
    expect(learner.state.adam.updates).toBe(4);
    expect(learner.steps).toBe(settings.environments * settings.horizon);
  });
});

/** Central differences of the loss, written out without tensors. */
it.each<[string, LossSettings]>([
  ['A3C', { entropy: 0.05 }],
  ['PPO', { entropy: 0.05, ratioClip: 0.2 }],
])('the gradient is that of the loss (%s)', (_, of) => {
  const experience = someExperience(12);
  const parameters = freshParameters(3);
  // Away from its small beginning, so that every term matters.
  for (let i = LAYOUT[2]!.weights; i < LAYOUT[2]!.biases; i++) parameters[i]! *= 30;
  const gradient = gradientOf(backend, parameters, experience, of);
  const probes = LAYOUT.flatMap(({ weights, biases, outputs }) => [weights + 5, weights + 3 * outputs, biases]);
  for (const i of probes) {
    const at = (delta: number): number => {
      const moved = Float32Array.from(parameters);
      moved[i]! += delta;
      return lossOf(moved, experience, of);
    };
    expect(gradient[i]).toBeCloseTo((at(5e-3) - at(-5e-3)) / 1e-2, 3);
  }
});

function someExperience(rows: number): Experience {
  const wave = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i) + 0.1);
  return {
    observations: wave(rows * OBSERVED),
    open: Uint8Array.from({ length: rows * ACTION_COUNT }, (_, i) => (i % ACTION_COUNT === 11 ? 0 : 1)),
    actions: Int32Array.from({ length: rows }, (_, i) => i % 11),
    advantages: wave(rows),
    returns: wave(rows).map((value) => 3 * value),
    // As of a policy that has moved since: far up, far down and a little, with advantages of both signs.
    logProbabilities: Float32Array.from({ length: rows }, (_, i) => Math.log(1 / 12) + [0.9, -0.7, 0.05, -0.05][i % 4]!),
  };
}

function lossOf(parameters: Float32Array, experience: Experience, { entropy, ratioClip }: LossSettings): number {
  const { observations, open, actions, advantages, returns, logProbabilities } = experience;
  const inference = new Inference(parameters);
  const rows = actions.length;
  const logits = inference.act(observations, rows);
  const values = inference.value(observations, rows);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const own = Array.from(logits.subarray(row * ACTION_COUNT, (row + 1) * ACTION_COUNT), (value, a) =>
      open[row * ACTION_COUNT + a] === 1 ? value : Number.NEGATIVE_INFINITY,
    );
    const total = Math.log(own.reduce((sum, value) => sum + Math.exp(value), 0));
    const spread = own.reduce(
      (sum, value) => (value === Number.NEGATIVE_INFINITY ? sum : sum - Math.exp(value - total) * (value - total)),
      0,
    );
    const missed = Math.abs(returns[row]! - values[row]!);
    const huber = missed <= 1 ? 0.5 * missed ** 2 : missed - 0.5;
    const log = own[actions[row]!]! - total;
    const ratio = Math.exp(log - logProbabilities[row]!);
    const gain =
      ratioClip === undefined
        ? log * advantages[row]!
        : Math.min(ratio * advantages[row]!, Math.max(1 - ratioClip, Math.min(1 + ratioClip, ratio)) * advantages[row]!);
    loss += (-gain + 0.5 * huber - entropy * spread) / rows;
  }
  return loss;
}
