import type * as TensorFlow from '@tensorflow/tfjs';
import type { TensorBackend } from '../backend.js';
import { ACTION_COUNT } from './actions.js';
import { LAYOUT, PARAMETERS } from './network.js';
import { OBSERVED } from './observation.js';

/** One row per stage and decision; B rows. */
export interface Experience {
  readonly observations: Float32Array; // [B, OBSERVED]
  readonly open: Uint8Array; // [B, ACTION_COUNT]
  readonly actions: Int32Array; // [B]
  readonly advantages: Float32Array; // [B]
  readonly returns: Float32Array; // [B]
  /** log π of the action when it was taken. */
  readonly logProbabilities: Float32Array; // [B]
}

export interface LossSettings {
  readonly entropy: number;
  /** PPO's clipped ratio (Schulman et al., 2017) by so much; without it the plain policy gradient of A3C (Mnih et al., 2016). */
  readonly ratioClip?: number;
}

const CRITIC = 0.5;
const CLOSED = -1e9;

/**
 * ∇ of −mean(log π(a|o)·A) + ½·mean(huber(R − V)) − entropy·mean(H(π)), in the order of the parameters. Deterministic for one backend.
 */
export function gradientOf({ tf }: TensorBackend, parameters: Float32Array, experience: Experience, settings: LossSettings): Float32Array {
  const gradient = new Float32Array(PARAMETERS);
  tf.tidy(() => {
    const inputs = LAYOUT.flatMap(({ weights, biases, inputs: rows, outputs }) => [
      tf.tensor2d(parameters.subarray(weights, biases), [rows, outputs]),
      tf.tensor1d(parameters.subarray(biases, biases + outputs)),
    ]);
    const gradients = tf.grads((...of: TensorFlow.Tensor[]) => loss(tf, of, experience, settings))(inputs);
    let at = 0;
    for (const one of gradients) {
      const values = one.dataSync();
      gradient.set(values, at);
      at += values.length;
    }
  });
  return gradient;
}

function loss(tf: typeof TensorFlow, weights: TensorFlow.Tensor[], experience: Experience, { entropy, ratioClip }: LossSettings) {
  const rows = experience.actions.length;
  const x = tf.tensor2d(experience.observations, [rows, OBSERVED]);
  const layer = (input: TensorFlow.Tensor, l: number) => tf.add(tf.matMul(input, weights[2 * l]!), weights[2 * l + 1]!);
  const closed = tf.tensor2d(
    Float32Array.from(experience.open, (open) => (open === 1 ? 0 : CLOSED)),
    [rows, ACTION_COUNT],
  );
  const logits = tf.add(layer(tf.tanh(layer(tf.tanh(layer(x, 0)), 1)), 2), closed); // [B, ACTION_COUNT]
  const logPi = tf.logSoftmax(logits);
  const taken = tf.oneHot(tf.tensor1d(experience.actions, 'int32'), ACTION_COUNT).toFloat();
  const logTaken = tf.sum(tf.mul(logPi, taken), 1); // [B]
  const advantage = tf.tensor1d(experience.advantages);
  const gain = ratioClip === undefined ? tf.mul(logTaken, advantage) : clipped(tf, logTaken, experience, advantage, ratioClip);
  const spread = tf.neg(tf.mean(tf.sum(tf.mul(tf.exp(logPi), logPi), 1)));
  const value = tf.reshape(layer(tf.tanh(layer(x, 3)), 4), [rows]);
  const missed = tf.losses.huberLoss(tf.tensor1d(experience.returns), value);
  return tf.sub(tf.add(tf.neg(tf.mean(gain)), tf.mul(missed, CRITIC)), tf.mul(spread, entropy)).asScalar();
}

/** min(ρ·A, clip(ρ, 1 ± c)·A), with ρ = π/π_old. */
function clipped(
  tf: typeof TensorFlow,
  logTaken: TensorFlow.Tensor,
  { logProbabilities }: Experience,
  advantage: TensorFlow.Tensor,
  by: number,
): TensorFlow.Tensor {
  const ratio = tf.exp(tf.sub(logTaken, tf.tensor1d(logProbabilities)));
  return tf.minimum(tf.mul(ratio, advantage), tf.mul(tf.clipByValue(ratio, 1 - by, 1 + by), advantage));
}
