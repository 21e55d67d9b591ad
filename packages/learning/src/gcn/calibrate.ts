import { kendallTau } from '@autoflow/twin';
import {
  believed,
  calibrationError,
  isBetter,
  logLoss,
  spreadOf,
  temperatureOf,
  type Belief,
  type Calibration,
  type Judged,
} from './calibration.js';
import type { LabelledGroup } from './labels.js';
import { leadOf, utility, type Utility } from './utility.js';

/** Plans with what the network says of them: [plans, 3]. Figures are of its validation only where it has not learned from them. */
export interface JudgedGroup {
  readonly group: LabelledGroup;
  readonly heads: Float32Array;
}

const WHOLLY: Belief = { trust: 1, noise: 0 };
const NOT: Belief = { trust: 0, noise: 0 };
/** Of a network that nothing is known about yet: it is believed. */
export const UNTRIED: Calibration = {
  spread: { cost: 0.02, p95: 0.05, throughput: 0.02 },
  temperature: 0.6,
  belief: [WHOLLY, WHOLLY, WHOLLY],
};

const BELIEFS: readonly Belief[] = [NOT, ...[0.5, 1].flatMap((trust) => [0, 0.003, 0.01, 0.03, 0.1].map((noise) => ({ trust, noise })))];
/** Heads are tried one after the other; the first once more after the last. */
const ROUNDS = 2;
const SHARP = { cost: 1e-6, p95: 1e-6, throughput: 1e-6 };
const LEAST_COST_SPREAD = 0.001;

/**
 * How far each head is believed where it leans from the formula: as far as plans of one pipeline are ordered best (Kendall's τ). How widely the
 * truth lies around the heads then, and how sure a lead is: with the least log loss. A head that earned nothing gets no trust, and the formula
 * stands.
 */
export function calibrate(judged: readonly JudgedGroup[]): {
  readonly calibration: Calibration;
  readonly metrics: { readonly [name: string]: number };
} {
  let best = tryOut(judged, [NOT, NOT, NOT]);
  const formula = best;
  for (let head = 0; head < 3 * ROUNDS; head++)
    for (const belief of BELIEFS) {
      const next = tryOut(judged, best.belief.with(head % 3, belief) as [Belief, Belief, Belief]);
      if (next.tau > best.tau) best = next;
    }
  const sure = sureness(judged, best);
  return {
    calibration: { spread: sure.spread, temperature: sure.temperature, belief: best.belief },
    metrics: {
      validationTau: best.tau,
      validationTauOfFormula: formula.tau,
      validationEce: calibrationError(sure.pairs, sure.temperature),
      validationLogLoss: sure.loss,
      validationLogLossOfFormula: sureness(judged, formula).loss,
      validationCostError: best.spread.cost,
      validationP95Error: best.spread.p95,
    },
  };
}

/**
 * How widely the cost is taken to lie around its head, and the temperature: with the least log loss. The errors of cost have long tails (nearly none
 * where no cores are short), so that their root mean square says too little of most pairs.
 */
function sureness(judged: readonly JudgedGroup[], { belief, spread }: Tried) {
  const tried = COST_SPREADS.filter((share) => share * spread.cost >= LEAST_COST_SPREAD / 2).map((share) => {
    const own = { ...spread, cost: share * spread.cost };
    const pairs = pairsOf(judged.map(({ group, heads }) => judgementOf(group, lean(group, heads, belief), own)));
    const temperature = temperatureOf(pairs);
    return { spread: own, temperature, pairs, loss: logLoss(pairs, temperature) / pairs.length };
  });
  return tried.reduce((least, next) => (next.loss < least.loss ? next : least));
}
const COST_SPREADS = [1, 0.5, 0.25, 0.125, 0.0625, 0.03125];

interface Tried {
  readonly belief: Calibration['belief'];
  readonly spread: Calibration['spread'];
  readonly tau: number;
}
/** Of the plans of one pipeline: what is said of them, and what they were worth. */
interface Judgement {
  readonly said: readonly Utility[];
  readonly was: readonly number[];
}

function tryOut(judged: readonly JudgedGroup[], belief: Calibration['belief']): Tried {
  const all = judged.map(({ group, heads }) => ({ group, heads: lean(group, heads, belief) }));
  const spread = spreadAround(all);
  const taus = all.map(({ group, heads: leaning }) => {
    const { said, was } = judgementOf(group, leaning, spread);
    return kendallTau(
      said.map(({ mean }) => mean),
      was,
    );
  });
  // Of plans that are all alike nothing can be ordered.
  const ordered = taus.filter((tau) => !Number.isNaN(tau));
  return { belief, spread, tau: ordered.length === 0 ? 0 : ordered.reduce((sum, tau) => sum + tau, 0) / ordered.length };
}

function lean({ plans }: LabelledGroup, heads: Float32Array, belief: Calibration['belief']): Float32Array {
  return heads.map((said, at) => believed(plans[Math.floor(at / 3)]!.features.analytic[at % 3]!, said, belief[at % 3]!));
}

function spreadAround(judged: readonly JudgedGroup[]): Calibration['spread'] {
  const errors = { cost: [] as number[], p95: [] as number[], throughput: [] as number[] };
  for (const { group, heads } of judged) {
    const cost: number[] = [];
    group.plans.forEach(({ labels }, i) => {
      // Near what is promised: how far off an overloaded plan is does not matter.
      if (labels[1]! > Math.log(2 * group.load.sloMs)) return;
      cost.push(heads[3 * i]! - labels[0]!);
      errors.p95.push(heads[3 * i + 1]! - labels[1]!);
      errors.throughput.push(heads[3 * i + 2]! - labels[2]!);
    });
    // Plans are compared within a pipeline: what all of them are off by is no error.
    const mean = cost.reduce((sum, error) => sum + error, 0) / cost.length;
    errors.cost.push(...cost.map((error) => error - mean));
  }
  return { cost: spreadOf(errors.cost, LEAST_COST_SPREAD), p95: spreadOf(errors.p95), throughput: spreadOf(errors.throughput) };
}

function judgementOf({ plans, load }: LabelledGroup, heads: Float32Array, spread: Calibration['spread']): Judgement {
  const objective = { minimise: 'cost', p95Ms: load.sloMs } as const;
  const of = (values: ArrayLike<number>, around: Calibration['spread']): Utility =>
    utility(objective, load.ratePerSecond, 1, values, around);
  return {
    said: plans.map((_, i) => of(heads.subarray(3 * i, 3 * i + 3), spread)),
    was: plans.map(({ labels }) => of(labels, SHARP).mean),
  };
}

/** Every two plans of a pipeline. */
function pairsOf(judgements: readonly Judgement[]): Judged[] {
  return judgements.flatMap(({ said, was }) =>
    said.flatMap((one, i) =>
      said.slice(0, i).map((other, j): Judged => ({ lead: leadOf(one, other), better: isBetter(was[i]!, was[j]!) })),
    ),
  );
}
