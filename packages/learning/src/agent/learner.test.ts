import { randomScenario, syntheticFunctions } from '@autoflow/twin';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend, type TensorBackend } from '../backend.js';
import { ACTION_COUNT } from './actions.js';
import { gradientOf, type Experience } from './gradient.js';
import { Learner } from './learner.js';
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

/** Central differences of the loss, written out without tensors. */
it('the gradient is that of the loss', () => {
  const experience = someExperience(6);
  const parameters = freshParameters(3);
  // Away from its small beginning, so that every term matters.
  for (let i = LAYOUT[2]!.weights; i < LAYOUT[2]!.biases; i++) parameters[i]! *= 30;
  const gradient = gradientOf(backend, parameters, experience, { entropy: 0.05 });
  const probes = LAYOUT.flatMap(({ weights, biases, outputs }) => [weights + 5, weights + 3 * outputs, biases]);
  for (const i of probes) {
    const at = (delta: number): number => {
      const moved = Float32Array.from(parameters);
      moved[i]! += delta;
      return lossOf(moved, experience, 0.05);
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
    logProbabilities: new Float32Array(rows),
  };
}

function lossOf(parameters: Float32Array, { observations, open, actions, advantages, returns }: Experience, entropy: number): number {
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
    loss += (-(own[actions[row]!]! - total) * advantages[row]! + 0.5 * huber - entropy * spread) / rows;
  }
  return loss;
}
