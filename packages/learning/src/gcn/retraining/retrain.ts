import type { MeasuredHistory, Retrained, ScorerError } from '@autoflow/optimizer';
import type { TensorBackend } from '../../backend.js';
import { group as madeUp, type DatasetSize } from '../dataset.js';
import type { LabelledGroup, LabelledPlan } from '../labels.js';
import { serialiseModel, type GcnModel } from '../model-file.js';
import { Scorer } from '../scorer.js';
import { Training } from '../training.js';
import { MEASURED_WEIGHT, measuredGroups, type MeasuredGroups } from './measured-groups.js';

export interface RetrainSettings {
  readonly seed: number;
  /** The scorer that is used now: it goes on from its weights. */
  readonly base: GcnModel;
  /** Made-up pipelines beside the measured plans, so that what is known of others is kept. */
  readonly synthetic?: DatasetSize;
  readonly epochs?: number;
}

const SYNTHETIC: DatasetSize = { pipelines: 48, plans: 24 };
const EPOCHS = 24;
/** Half of that of the first training: it goes on from weights that are good. */
const RATE = { first: 1e-3, last: 1e-4 };
/** Enough to learn from some and to be judged on others. */
const FEWEST_VERSIONS = 4;
/** The latest quarter is judged on, by version, never by stretch. */
const HELD_OUT = 0.25;

/**
 * Trains the scorer further on a pipeline's own measurements, `MEASURED_WEIGHT` times as heavy as the twin's, beside made-up pipelines, and judges it
 * against the one that is used now on versions that neither of the two has seen. Deterministic by seed, history and backend.
 */
export function retrain(history: MeasuredHistory, backend: TensorBackend, settings: RetrainSettings): Retrained {
  const { seed, base, synthetic = SYNTHETIC, epochs = EPOCHS } = settings;
  const measured = measuredGroups(history);
  const versions = versionsOf(measured);
  if (versions.length < FEWEST_VERSIONS) return tooFew(versions, measured);
  const heldOut = versions.slice(-Math.max(1, Math.round(HELD_OUT * versions.length)));
  const learned = part(measured, (version) => !heldOut.includes(version));
  const judged = part(measured, (version) => heldOut.includes(version));
  const others = Array.from({ length: synthetic.pipelines }, (_, n) => madeUp(n, synthetic, seed));
  const of = (split: 'train' | 'validate'): LabelledGroup[] => others.flatMap((one) => (one.split === split ? [one.group] : []));
  // By how much all of its plans lie apart needs no network, and a network that had to learn it would forget the others.
  const offset = offsetOf(base, learned, backend);
  const own = learned.map((group) => ({ ...group, plans: group.plans.map((plan) => ({ ...plan, labels: less(plan.labels, offset) })) }));
  // Its plans are half of what every epoch goes through, and of what it is calibrated on: what it leans to there must not be taken back.
  const train = [...of('train'), ...asOften(own, of('train').length)];
  const validate = [...of('validate'), ...asOften(own, of('validate').length)];
  const training = new Training(backend, train, validate, {
    seed,
    graph: base.graph,
    epochs,
    rate: RATE,
    normalisation: base.normalisation,
  });
  let checkpoint = training.begin(base.weights);
  while (checkpoint.epoch < epochs) checkpoint = training.epoch(checkpoint).checkpoint;
  const fitted = training.model(checkpoint);
  const model = { ...fitted, calibration: { ...fitted.calibration, offset } };
  const current = errorOf(base, judged, backend);
  const retrained = errorOf(model, judged, backend);
  const plans = learned.reduce((sum, { plans: own }) => sum + own.length, 0);
  const metrics = { ...model.metrics, measuredPlans: plans, measuredWeight: MEASURED_WEIGHT };
  return {
    model: serialiseModel({ ...model, metrics }),
    dataHash: model.dataHash,
    seed,
    heldOut: { versions: heldOut, current, retrained },
    metrics,
    better: retrained.all < current.all,
    stretches: { used: measured.groups.reduce((sum, { plans: own }) => sum + own.length, 0), leftOut: measured.leftOut },
  };
}

/** In the order in which they were registered: v2 before v10. */
function versionsOf({ versions }: MeasuredGroups): string[] {
  const number = (version: string): number => Number(version.slice(1));
  return [...new Set(versions.flat())].sort((a, b) => number(a) - number(b));
}

function tooFew(versions: readonly string[], { contradictory, leftOut }: MeasuredGroups): Retrained {
  if (contradictory.length > 0)
    return {
      refused: 'CONTRADICTORY',
      reason: `What was measured of ${contradictory.join(', ')} contradicts itself by more than a factor of 4 under one load, and the rest is of ${versions.length} versions, ${FEWEST_VERSIONS} being the least. Measure them again at a steady load.`,
    };
  return {
    refused: 'TOO_FEW_VERSIONS',
    reason: `${versions.length} versions have measurements that can be learned from (${leftOut} stretches were left out), and ${FEWEST_VERSIONS} are the least. Run more versions first, or look further back (--since).`,
  };
}

function part({ groups, versions }: MeasuredGroups, takes: (version: string) => boolean): LabelledGroup[] {
  return groups.flatMap((group, g) => {
    const plans = group.plans.filter((_, i) => takes(versions[g]![i]!));
    return plans.length === 0 ? [] : [{ ...group, plans }];
  });
}

const asOften = (groups: readonly LabelledGroup[], count: number): LabelledGroup[] =>
  Array.from({ length: Math.max(groups.length, count) }, (_, i) => groups[i % groups.length]!);

const less = (labels: Float32Array, offset: readonly number[]): Float32Array => labels.map((label, head) => label - offset[head]!);

/** The median of what was measured less what is said, by head. */
function offsetOf(model: GcnModel, groups: readonly LabelledGroup[], backend: TensorBackend): [number, number, number] {
  const plans = groups.flatMap(({ plans: own }) => own);
  const heads = headsOf({ ...model, calibration: { ...model.calibration, offset: [0, 0, 0] } }, plans, backend);
  const of = (head: number): number => {
    const apart = plans.map(({ labels }, i) => labels[head]! - heads[3 * i + head]!).sort((a, b) => a - b);
    return apart[Math.floor(apart.length / 2)]!;
  };
  return [of(0), of(1), of(2)];
}

function errorOf(model: GcnModel, groups: readonly LabelledGroup[], backend: TensorBackend): ScorerError {
  const plans = groups.flatMap(({ plans: own }) => own);
  const heads = headsOf(model, plans, backend);
  const of = (head: number): number =>
    plans.reduce((sum, { labels }, i) => sum + Math.abs(heads[3 * i + head]! - labels[head]!), 0) / plans.length;
  const [cost, p95, throughput] = [of(0), of(1), of(2)];
  return { cost, p95, throughput, all: (cost + p95 + throughput) / 3 };
}

function headsOf(model: GcnModel, plans: readonly LabelledPlan[], backend: TensorBackend): Float32Array {
  const scorer = new Scorer(backend, model);
  const heads = scorer.heads(plans.map(({ features }) => features));
  scorer.dispose();
  return heads;
}
