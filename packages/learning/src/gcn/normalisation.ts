import { GLOBAL_FEATURES, NODE_FEATURES, type PlanFeatures } from '../features.js';

/** Mean and standard deviation of every feature over what was learned from. */
export interface Normalisation {
  readonly nodes: { readonly mean: number[]; readonly deviation: number[] };
  readonly global: { readonly mean: number[]; readonly deviation: number[] };
}

export function normalisationOf(plans: readonly PlanFeatures[]): Normalisation {
  return {
    nodes: moments(
      plans.map(({ nodes }) => nodes),
      NODE_FEATURES,
    ),
    global: moments(
      plans.map(({ global }) => global),
      GLOBAL_FEATURES,
    ),
  };
}

/** Of rows of so many features. A feature that never varies is left as it is. */
function moments(tables: readonly Float32Array[], width: number): Normalisation['nodes'] {
  const mean = new Array<number>(width).fill(0);
  const square = new Array<number>(width).fill(0);
  let rows = 0;
  for (const table of tables) {
    rows += table.length / width;
    table.forEach((value, i) => {
      mean[i % width]! += value;
      square[i % width]! += value ** 2;
    });
  }
  const means = mean.map((sum) => sum / rows);
  return { mean: means, deviation: square.map((sum, i) => Math.sqrt(Math.max(0, sum / rows - means[i]! ** 2)) || 1) };
}
