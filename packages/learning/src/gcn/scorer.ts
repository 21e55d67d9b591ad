import type { TensorBackend } from '../backend.js';
import { featureBatch, type PlanFeatures } from '../features.js';
import { believed } from './calibration.js';
import type { GcnModel } from './model-file.js';
import { predict, WEIGHTS, type Tensors } from './network.js';

const CHUNK = 512;

/** A model, ready to score; `dispose` frees its tensors. */
export class Scorer {
  private readonly weights: Tensors;

  constructor(
    private readonly backend: TensorBackend,
    readonly model: GcnModel,
  ) {
    this.weights = Object.fromEntries(
      Object.entries(WEIGHTS).map(([name, shape]) => [name, backend.tf.tensor(model.weights[name]!, [...shape])]),
    );
  }

  /** log of cost, p95 and throughput of each plan, row by row: [plans, 3]. */
  heads(plans: readonly PlanFeatures[]): Float32Array {
    const { tf } = this.backend;
    const heads = new Float32Array(3 * plans.length);
    for (let from = 0; from < plans.length; from += CHUNK) {
      const batch = featureBatch(plans.slice(from, from + CHUNK));
      const { graph, normalisation, calibration } = this.model;
      const { belief, offset = [0, 0, 0] } = calibration;
      const said = tf.tidy(() => predict(tf, this.weights, batch, normalisation, { graph }).dataSync()) as Float32Array;
      heads.set(
        said.map((value, at) => believed(batch.analytic[at]!, value, belief[at % 3]!) + offset[at % 3]!),
        3 * from,
      );
    }
    return heads;
  }

  dispose(): void {
    for (const tensor of Object.values(this.weights)) tensor.dispose();
  }
}
