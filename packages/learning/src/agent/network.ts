import { uniform } from '@autoflow/twin';
import { ACTION_COUNT } from './actions.js';
import { OBSERVED } from './observation.js';

const HIDDEN = 64;

/** Weights by name, in the order in which they lie in one array: the actor OBSERVED→64→64→12, the critic OBSERVED→64→1. */
export const LAYERS = [
  { name: 'actor1', inputs: OBSERVED, outputs: HIDDEN, gain: 1 },
  { name: 'actor2', inputs: HIDDEN, outputs: HIDDEN, gain: 1 },
  { name: 'actor3', inputs: HIDDEN, outputs: ACTION_COUNT, gain: 0.01 },
  { name: 'critic1', inputs: OBSERVED, outputs: HIDDEN, gain: 1 },
  { name: 'critic2', inputs: HIDDEN, outputs: 1, gain: 0.1 },
] as const;

export interface Layer {
  /** Where its weights [inputs, outputs] and its biases [outputs] begin. */
  readonly weights: number;
  readonly biases: number;
  readonly inputs: number;
  readonly outputs: number;
}

export const LAYOUT: readonly Layer[] = layout();
export const PARAMETERS = LAYERS.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);

function layout(): Layer[] {
  let at = 0;
  return LAYERS.map(({ inputs, outputs }) => {
    const layer = { weights: at, biases: at + inputs * outputs, inputs, outputs };
    at += (inputs + 1) * outputs;
    return layer;
  });
}

/** Normal weights of variance gain²/inputs, no biases; the last layers small, so that it begins undecided and expects nothing. */
export function freshParameters(seed: number): Float32Array {
  const random = uniform(seed);
  const parameters = new Float32Array(PARAMETERS);
  LAYERS.forEach(({ inputs, outputs, gain }, l) => {
    for (let i = 0; i < inputs * outputs; i++) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      parameters[LAYOUT[l]!.weights + i] = (gain * normal) / Math.sqrt(inputs);
    }
  });
  return parameters;
}

/** Computes the network without a tensor library: for few rows that is faster, and who only decides needs none. Reuses its results. */
export class Inference {
  /** [rows, ACTION_COUNT], and [rows]. */
  logits = new Float32Array(0);
  values = new Float32Array(0);
  private first = new Float32Array(0);
  private second = new Float32Array(0);

  constructor(public parameters: Float32Array) {}

  act(observations: Float32Array, rows: number): Float32Array {
    this.room(rows);
    dense(this.parameters, LAYOUT[0]!, observations, rows, this.first, true);
    dense(this.parameters, LAYOUT[1]!, this.first, rows, this.second, true);
    dense(this.parameters, LAYOUT[2]!, this.second, rows, this.logits, false);
    return this.logits;
  }

  value(observations: Float32Array, rows: number): Float32Array {
    this.room(rows);
    dense(this.parameters, LAYOUT[3]!, observations, rows, this.first, true);
    dense(this.parameters, LAYOUT[4]!, this.first, rows, this.values, false);
    return this.values;
  }

  private room(rows: number): void {
    if (this.values.length >= rows) return;
    this.first = new Float32Array(rows * HIDDEN);
    this.second = new Float32Array(rows * HIDDEN);
    this.logits = new Float32Array(rows * ACTION_COUNT);
    this.values = new Float32Array(rows);
  }
}

/** y = x·W + b, then tanh if `squashed`. */
function dense(
  parameters: Float32Array,
  { weights, biases, inputs, outputs }: Layer,
  x: Float32Array,
  rows: number,
  y: Float32Array,
  squashed: boolean,
): void {
  for (let row = 0; row < rows; row++) {
    const to = row * outputs;
    for (let j = 0; j < outputs; j++) y[to + j] = parameters[biases + j]!;
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i]!;
      if (value === 0) continue;
      const from = weights + i * outputs;
      for (let j = 0; j < outputs; j++) y[to + j]! += value * parameters[from + j]!;
    }
    if (squashed) for (let j = 0; j < outputs; j++) y[to + j] = Math.tanh(y[to + j]!);
  }
}
