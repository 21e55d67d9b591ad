import { calibrationError, logLoss, spreadOf, temperatureOf, type Calibration, type Judged } from './calibration.js';
import type { LabelledGroup } from './labels.js';
import { utility } from './utility.js';

/** Plans that were not learned from, with what the network says of them: [plans, 3]. */
export interface JudgedGroup {
  readonly group: LabelledGroup;
  readonly heads: Float32Array;
}

/** Of a network that nothing is known about yet: it is believed. */
export const UNTRIED: Calibration = { spread: { p95: 0.05, throughput: 0.02 }, temperature: 0.05, trust: [1, 1, 1] };

const TRUST = [0, 0.25, 0.5, 0.75, 1];

/**
 * How far each head is believed where it leans from the formula, how widely the truth lies around it, and how sure a lead is: what tells better
 * from worse with the least log loss. A head that earned nothing gets no trust, and the formula stands.
 */
export function calibrate(judged: readonly JudgedGroup[]): {
  readonly calibration: Calibration;
  readonly metrics: { readonly [name: string]: number };
} {
  const tried = TRUST.flatMap((cost) => TRUST.flatMap((p95) => TRUST.map((throughput) => tryOut(judged, [cost, p95, throughput]))));
  const best = tried.reduce((least, next) => (next.loss < least.loss ? next : least));
  const { calibration, pairs, errors } = best;
  const [formula] = tried as [Tried];
  return {
    calibration,
    metrics: {
      validationEce: calibrationError(pairs, calibration.temperature),
      validationLogLoss: best.loss / pairs.length,
      validationLogLossOfFormula: formula.loss / pairs.length,
      validationCostError: spreadOf(errors.cost),
      validationP95Error: calibration.spread.p95,
    },
  };
}

interface Tried {
  readonly calibration: Calibration;
  readonly loss: number;
  readonly pairs: readonly Judged[];
  readonly errors: { readonly cost: readonly number[] };
}

function tryOut(judged: readonly JudgedGroup[], trust: Calibration['trust']): Tried {
  const errors = { cost: [] as number[], p95: [] as number[], throughput: [] as number[] };
  const believed = judged.map(({ group, heads }) => ({ group, heads: lean(group, heads, trust) }));
  for (const { group, heads } of believed)
    group.plans.forEach(({ labels }, i) => {
      // Near what is promised: how far off an overloaded plan is does not matter.
      if (labels[1]! > Math.log(2 * group.load.sloMs)) return;
      errors.cost.push(heads[3 * i]! - labels[0]!);
      errors.p95.push(heads[3 * i + 1]! - labels[1]!);
      errors.throughput.push(heads[3 * i + 2]! - labels[2]!);
    });
  const spread = { p95: spreadOf(errors.p95), throughput: spreadOf(errors.throughput) };
  const pairs = believed.flatMap(({ group, heads }) => pairsOf(group, heads, spread));
  const temperature = temperatureOf(pairs);
  return { calibration: { spread, temperature, trust }, loss: logLoss(pairs, temperature), pairs, errors };
}

function lean({ plans }: LabelledGroup, heads: Float32Array, trust: Calibration['trust']): Float32Array {
  return heads.map((said, at) => {
    const formula = plans[Math.floor(at / 3)]!.features.analytic[at % 3]!;
    return formula + trust[at % 3]! * (said - formula);
  });
}

/** Every plan against the one drawn after it, by utility. */
function pairsOf({ plans, load }: LabelledGroup, heads: Float32Array, spread: Calibration['spread']): Judged[] {
  const objective = { minimise: 'cost', p95Ms: load.sloMs } as const;
  const said = plans.map((_, i) => utility(objective, load.ratePerSecond, 1, heads.subarray(3 * i, 3 * i + 3), spread));
  const sharp = { p95: 1e-6, throughput: 1e-6 };
  const was = plans.map(({ labels }) => utility(objective, load.ratePerSecond, 1, labels, sharp));
  return plans.slice(1).map((_, i) => ({ lead: said[i + 1]! - said[i]!, better: was[i + 1]! > was[i]! }));
}
