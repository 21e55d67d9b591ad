/** What Adam remembers, so that training goes on where it stopped. */
export interface AdamState {
  readonly mean: Float32Array;
  readonly square: Float32Array;
  updates: number;
}

export const freshAdam = (parameters: number): AdamState => ({
  mean: new Float32Array(parameters),
  square: new Float32Array(parameters),
  updates: 0,
});

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-5];

/** One step of Adam (Kingma & Ba, 2015) in place, after the gradient was brought to a norm of at most `clip`. */
export function descend(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  { learningRate, clip }: { readonly learningRate: number; readonly clip: number },
): void {
  let squares = 0;
  for (const g of gradient) squares += g * g;
  const scale = Math.min(1, clip / (Math.sqrt(squares) + 1e-12));
  state.updates++;
  const rate = (learningRate * Math.sqrt(1 - BETA2 ** state.updates)) / (1 - BETA1 ** state.updates);
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]! * scale;
    state.mean[i]! += (1 - BETA1) * (g - state.mean[i]!);
    state.square[i]! += (1 - BETA2) * (g * g - state.square[i]!);
    parameters[i]! -= (rate * state.mean[i]!) / (Math.sqrt(state.square[i]!) + EPSILON);
  }
}
