import { describe, expect, it } from 'vitest';
import { descend, freshAdam } from './adam.js';

const settings = { learningRate: 0.01, clip: 1e9 };

/** Algorithm 1 of Kingma & Ba (2015) for one parameter, its bias corrections where the paper has them; ε beside the uncorrected root. */
function expected(gradients: readonly number[], { learningRate } = settings): number {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-5];
  let [m, v, theta] = [0, 0, 1];
  gradients.forEach((g, i) => {
    const t = i + 1;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const [mHat, vHat] = [m / (1 - beta1 ** t), v / (1 - beta2 ** t)];
    theta -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon / Math.sqrt(1 - beta2 ** t));
  });
  return theta;
}

function descended(gradients: readonly (readonly number[])[], of = settings): Float32Array {
  const parameters = new Float32Array(gradients[0]!.length).fill(1);
  const state = freshAdam(parameters.length);
  for (const gradient of gradients) descend(parameters, Float32Array.from(gradient), state, of);
  expect(state.updates).toBe(gradients.length);
  return parameters;
}

describe("Adam's steps", () => {
  it('are those of the paper', () => {
    const rows = [
      [1, -2],
      [0.5, 0.1],
      [-3, 0],
      [0.2, 7],
    ];
    const found = descended(rows);
    for (const p of [0, 1]) expect(found[p]).toBeCloseTo(expected(rows.map((row) => row[p]!)), 5);
  });

  it('go down: against the gradient, by the learning rate where it is always the same', () => {
    const [up, down] = descended(Array.from({ length: 10 }, () => [-1, 1]));
    expect(up).toBeCloseTo(1.1, 3);
    expect(down).toBeCloseTo(0.9, 3);
  });

  it('take a gradient of at most the norm that it is clipped to, in its direction', () => {
    const clipped = { ...settings, clip: 0.5 };
    // The first is of norm 5, and is taken as (0.3, 0.4); the second is as it is.
    const found = descended([[3, 4], [0.1, 0.2]], clipped); // prettier-ignore
    expect(found[0]).toBeCloseTo(expected([0.3, 0.1]), 5);
    expect(found[1]).toBeCloseTo(expected([0.4, 0.2]), 5);
    expect(found[0]).not.toBeCloseTo(expected([3, 0.1]), 4);
  });
});
