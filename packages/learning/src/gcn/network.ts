import type * as TensorFlow from '@tensorflow/tfjs';
import { EDGE_FEATURES, GLOBAL_FEATURES, NODE_FEATURES, type FeatureBatch } from '../features.js';
import type { Normalisation } from './normalisation.js';

type Tensor = TensorFlow.Tensor;
type Library = typeof TensorFlow;

const HIDDEN = 64;
/** Cost, p95 and throughput: how far a head may lean from the formula with the same weight. */
const HEAD_SCALE = [0.3, 1, 1];
/** Features further from the mean, in standard deviations, are as good as that: outside what was learned nothing is extrapolated. */
const FARTHEST = 5;

/** Name and shape of every weight, in the order in which they are kept. */
export const WEIGHTS: { readonly [name: string]: readonly number[] } = {
  ...layer('1', NODE_FEATURES),
  ...layer('2', HIDDEN),
  readout: [3 * HIDDEN + GLOBAL_FEATURES, HIDDEN],
  readoutBias: [HIDDEN],
  heads: [HIDDEN, 3],
};
export type Weights = { readonly [name: string]: Float32Array };
export type Tensors = { readonly [name: string]: Tensor };

function layer(n: string, width: number): { [name: string]: number[] } {
  return {
    [`self${n}`]: [width, HIDDEN],
    [`in${n}`]: [width, HIDDEN],
    [`out${n}`]: [width, HIDDEN],
    [`inEdge${n}`]: [EDGE_FEATURES, HIDDEN],
    [`outEdge${n}`]: [EDGE_FEATURES, HIDDEN],
    [`bias${n}`]: [HIDDEN],
  };
}

/** He's initialisation; biases and the heads are 0, so that an untrained network says what the formula says. */
export function initialWeights(random: () => number): Weights {
  return Object.fromEntries(
    Object.entries(WEIGHTS).map(([name, shape]) => {
      const zero = shape.length === 1 || name === 'heads';
      const deviation = Math.sqrt(1.6 / shape[0]!);
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (zero ? 0 : deviation * normal(random)));
      return [name, values];
    }),
  );
}

/** Standard normal (Box and Muller, 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface NetworkOptions {
  /** Off: every stage by itself, the edges unseen. What the graph earns is the difference. */
  readonly graph: boolean;
}

/**
 * log of cost, p95 and throughput of each plan, [B, 3]: the formula's and what was learned on top of it. Pure; call it in a `tidy`.
 * Two layers of graph convolution, h′ᵢ = ReLU(W_s hᵢ + Σ_in Â(W_in hⱼ + U_in eⱼᵢ) + Σ_out Â(W_out hⱼ + U_out eᵢⱼ) + b), the second with a skip;
 * what is read out of them is [0.3 Σ, mean, max] over the stages and the features of the whole.
 */
export function predict(tf: Library, w: Tensors, batch: FeatureBatch, normalisation: Normalisation, options: NetworkOptions): Tensor {
  const { graph } = options;
  const { plans: B, size: N } = batch;
  const scaled = (values: Float32Array, shape: number[], { mean, deviation }: Normalisation['nodes']): Tensor =>
    tf.clipByValue(tf.div(tf.sub(tf.tensor(values, shape), tf.tensor1d(mean)), tf.tensor1d(deviation)), -FARTHEST, FARTHEST);
  const mask = tf.tensor(batch.mask, [B, N, 1]);
  const incoming = tf.tensor(batch.incoming, [B, N, N]);
  const outgoing = tf.tensor(batch.outgoing, [B, N, N]);
  const inEdges = tf.tensor(batch.incomingEdges, [B, N, EDGE_FEATURES]);
  const outEdges = tf.tensor(batch.outgoingEdges, [B, N, EDGE_FEATURES]);
  const times = (x: Tensor, name: string): Tensor => {
    const [width, out] = WEIGHTS[name] as [number, number];
    return tf.reshape(tf.matMul(tf.reshape(x, [B * N, width]), w[name] as TensorFlow.Tensor2D), [B, N, out]);
  };
  const convolve = (h: Tensor, n: string): Tensor => {
    const own = tf.add(times(h, `self${n}`), w[`bias${n}`]!);
    const all = graph
      ? tf.addN([
          own,
          times(tf.matMul(incoming, h), `in${n}`),
          times(tf.matMul(outgoing, h), `out${n}`),
          times(inEdges, `inEdge${n}`),
          times(outEdges, `outEdge${n}`),
        ])
      : own;
    return tf.mul(tf.relu(all), mask); // [B, N, HIDDEN]
  };
  const nodes = tf.mul(scaled(batch.nodes, [B, N, NODE_FEATURES], normalisation.nodes), mask);
  const first = convolve(nodes, '1');
  const second = tf.add(convolve(first, '2'), first);
  const sum = tf.sum(second, 1);
  const count = tf.sum(mask, 1);
  const whole = scaled(batch.global, [B, GLOBAL_FEATURES], normalisation.global);
  // ReLU leaves nothing below 0, so padding never is the greatest.
  const read = tf.concat([tf.mul(sum, 0.3), tf.div(sum, count), tf.max(second, 1), whole], 1) as TensorFlow.Tensor2D;
  const hidden = tf.relu(tf.add(tf.matMul(read, w['readout'] as TensorFlow.Tensor2D), w['readoutBias']!)) as TensorFlow.Tensor2D;
  const delta = tf.mul(tf.matMul(hidden, w['heads'] as TensorFlow.Tensor2D), tf.tensor1d(HEAD_SCALE));
  return tf.add(tf.tensor(batch.analytic, [B, 3]), delta);
}
