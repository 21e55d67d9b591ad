import type { MeasuredHistory, Retrained, ScorerError } from '@autoflow/optimizer';
import { medianOf } from '@autoflow/twin';
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
  /** Versions that `base` has learned from: it is not judged on them. Default: none. */
  readonly learnedFrom?: readonly string[];
  /** Made-up pipelines beside the measured plans, so that what is known of others is kept. */
  readonly synthetic?: DatasetSize;
  readonly epochs?: number;
}

const SYNTHETIC: DatasetSize = { pipelines: 48, plans: 24 };
const EPOCHS = 24;
/** Half of that of the first training: it goes on from weights that are good. */
const RATE = { first: 1e-3, last: 1e-4 };
/** Enough to learn from some and to be judged on others. */
const FEWEST_VERSIONS = 5;
/** Of one, chance decides who is nearer. */
const FEWEST_JUDGED = 2;
/** The latest quarter is judged on, by version, never by stretch; as many of those that are left are calibrated on. */
const HELD_OUT = 0.25;
/** With fewer to learn from, none can be spared for the calibration. */
const FEWEST_TO_SPARE = 6;

/**
 * Trains the scorer further on a pipeline's own measurements, `MEASURED_WEIGHT` times as heavy as the twin's, beside made-up pipelines, and judges it
 * against the one that is used now on versions, two at least, that neither of the two has seen. It is calibrated on versions that it has not trained on;
 * where there are too few to spare some, on those that it has, and its metrics do not tell of its validation. Deterministic by seed, history and backend.
 */
export function retrain(history: MeasuredHistory, backend: TensorBackend, settings: RetrainSettings): Retrained {
  const { seed, base, learnedFrom = [], synthetic = SYNTHETIC, epochs = EPOCHS } = settings;
  const measured = measuredGroups(history);
  const versions = inOrder(measured.versions.flat());
  if (versions.length < FEWEST_VERSIONS) return tooFew(versions, measured);
  const unseen = versions.filter((version) => !learnedFrom.includes(version));
  if (unseen.length < FEWEST_JUDGED) return tooFewUnseen(unseen);
  const { heldOut, spared, learned } = parted(versions, unseen);
  const trained = part(measured, learned);
  const judged = part(measured, heldOut);
  const others = Array.from({ length: synthetic.pipelines }, (_, n) => madeUp(n, synthetic, seed));
  const of = (split: 'train' | 'validate'): LabelledGroup[] => others.flatMap((one) => (one.split === split ? [one.group] : []));
  // By how much all of its plans lie apart needs no network, and a network that had to learn it would forget the others.
  const offset = offsetOf(base, trained, backend);
  const own = less(trained, offset);
  // Its plans are half of what every epoch goes through, and of what it is calibrated on: what it leans to there must not be taken back.
  const train = [...of('train'), ...asOften(own, of('train').length)];
  const validate = [...of('validate'), ...asOften(spared.length > 0 ? less(part(measured, spared), offset) : own, of('validate').length)];
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
  const known = spared.length > 0 ? model.metrics : withoutValidation(model.metrics);
  const metrics = { ...known, measuredPlans: countOf(trained), measuredWeight: MEASURED_WEIGHT };
  return {
    model: serialiseModel({ ...model, metrics }),
    dataHash: model.dataHash,
    seed,
    learnedFrom: inOrder([...learnedFrom, ...learned, ...spared]),
    heldOut: { versions: heldOut, current, retrained },
    metrics,
    better: retrained.all < current.all,
    stretches: { used: countOf(measured.groups), leftOut: measured.leftOut },
  };
}

/** Each once, in the order in which they were registered: v2 before v10. */
function inOrder(versions: readonly string[]): string[] {
  const number = (version: string): number => Number(version.slice(1));
  return [...new Set(versions)].sort((a, b) => number(a) - number(b));
}

/** Held out and spared is what the one before has not seen either; what is spared counts as learned from, for it decides how far each head is believed. */
function parted(versions: readonly string[], unseen: readonly string[]) {
  const heldOut = unseen.slice(-Math.max(FEWEST_JUDGED, quarter(versions)));
  const rest = versions.filter((version) => !heldOut.includes(version));
  const fresh = rest.filter((version) => unseen.includes(version));
  const spared = rest.length < FEWEST_TO_SPARE ? [] : fresh.slice(-quarter(rest));
  return { heldOut, spared, learned: rest.filter((version) => !spared.includes(version)) };
}

const quarter = (versions: readonly string[]): number => Math.round(HELD_OUT * versions.length);

const countOf = (groups: readonly LabelledGroup[]): number => groups.reduce((sum, { plans }) => sum + plans.length, 0);

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

function tooFewUnseen(unseen: readonly string[]): Retrained {
  const are = unseen.length === 1 ? `Only ${unseen[0]} is` : 'No version is';
  return {
    refused: 'TOO_FEW_VERSIONS',
    reason: `${are} measured that the scorer in use has not learned from, and ${FEWEST_JUDGED} are the least to be judged on. Run more versions first.`,
  };
}

function part({ groups, versions }: MeasuredGroups, those: readonly string[]): LabelledGroup[] {
  return groups.flatMap((group, g) => {
    const plans = group.plans.filter((_, i) => those.includes(versions[g]![i]!));
    return plans.length === 0 ? [] : [{ ...group, plans }];
  });
}

const asOften = (groups: readonly LabelledGroup[], count: number): LabelledGroup[] =>
  Array.from({ length: Math.max(groups.length, count) }, (_, i) => groups[i % groups.length]!);

/** What is left to be learned. */
function less(groups: readonly LabelledGroup[], offset: readonly number[]): LabelledGroup[] {
  const left = (labels: Float32Array): Float32Array => labels.map((label, head) => label - offset[head]!);
  return groups.map((group) => ({ ...group, plans: group.plans.map((plan) => ({ ...plan, labels: left(plan.labels) })) }));
}

/** Of plans that were trained on they would tell too much good. */
const withoutValidation = (metrics: GcnModel['metrics']): GcnModel['metrics'] =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => !name.startsWith('validation')));

/** The median of what was measured less what is said, by head. */
function offsetOf(model: GcnModel, groups: readonly LabelledGroup[], backend: TensorBackend): [number, number, number] {
  const plans = groups.flatMap(({ plans: own }) => own);
  const heads = headsOf({ ...model, calibration: { ...model.calibration, offset: [0, 0, 0] } }, plans, backend);
  const of = (head: number): number => medianOf(plans.map(({ labels }, i) => labels[head]! - heads[3 * i + head]!));
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
