import type * as TensorFlow from '@tensorflow/tfjs';
import { uniform } from '@autoflow/twin';
import type { TensorBackend } from '../backend.js';
import { featureBatch } from '../features.js';
import { calibrate, UNTRIED } from './calibrate.js';
import { hashOf } from './dataset.js';
import type { LabelledGroup, LabelledPlan } from './labels.js';
import type { GcnModel } from './model-file.js';
import { initialWeights, predict, WEIGHTS, type Weights } from './network.js';
import { normalisationOf, type Normalisation } from './normalisation.js';
import { Scorer } from './scorer.js';

export interface TrainingSettings {
  readonly seed: number;
  readonly graph: boolean;
  readonly epochs: number;
  /** Of the first and of the last step; default 2e-3 to 2e-4. */
  readonly rate?: { readonly first: number; readonly last: number };
  /** Of the weights that it goes on from; default: that of what is learned from. */
  readonly normalisation?: Normalisation;
}
/** Between two epochs: everything that the next one depends on. */
export interface Checkpoint {
  readonly epoch: number;
  readonly weights: Weights;
  readonly first: Weights;
  readonly second: Weights;
}

const PIPELINES = 8;
const PLANS = 16;
const RATE = { first: 2e-3, last: 2e-4 };
const BETA = { first: 0.9, second: 0.999 };
/** w of the loss: cost is what plans are told apart by. */
const HEAD_WEIGHTS = [3, 1, 1];
const PAIRS = 0.3;
const TEMPERATURE = 0.05;

/**
 * Trains on some groups and calibrates on others, as far as whoever calls keeps them apart. Deterministic by seed and backend; goes on from a checkpoint
 * as if it had never stopped, for epochs draw from streams of their own.
 */
export class Training {
  private readonly data: readonly LabelledGroup[];

  constructor(
    private readonly backend: TensorBackend,
    train: readonly LabelledGroup[],
    private readonly validate: readonly LabelledGroup[],
    private readonly settings: TrainingSettings,
  ) {
    this.data = train.filter(({ plans }) => plans.length >= 2);
  }

  begin(base?: Weights): Checkpoint {
    const zeros = (): Weights =>
      Object.fromEntries(Object.entries(WEIGHTS).map(([name, s]) => [name, new Float32Array(s.reduce((a, b) => a * b, 1))]));
    return { epoch: 0, weights: base ?? initialWeights(uniform(this.settings.seed * 31 + 5)), first: zeros(), second: zeros() };
  }

  private readonly normal = lazily(
    () => this.settings.normalisation ?? normalisationOf(this.data.flatMap(({ plans }) => plans.map(({ features }) => features))),
  );

  /** One pass over all pipelines: steps of 8 of them, 16 plans each. */
  epoch(from: Checkpoint): { readonly checkpoint: Checkpoint; readonly loss: number } {
    const { tf } = this.backend;
    const { seed, epochs, rate: speed = RATE } = this.settings;
    const random = uniform(seed * 7919 + from.epoch);
    const order = shuffled(this.data.length, random);
    const load = (weights: Weights): { [name: string]: TensorFlow.Variable } =>
      Object.fromEntries(
        Object.entries(WEIGHTS).map(([name, shape]) => [name, tf.tidy(() => tf.variable(tf.tensor(weights[name]!, [...shape])))]),
      );
    const [w, first, second] = [load(from.weights), load(from.first), load(from.second)];
    const steps = Math.max(1, Math.floor(order.length / PIPELINES));
    let [total, t] = [0, from.epoch * steps];
    for (let step = 0; step < steps; step++) {
      const picked = order.slice(step * PIPELINES, (step + 1) * PIPELINES).map((g) => this.data[g]!);
      const rate = speed.first * (speed.last / speed.first) ** ((from.epoch + step / steps) / epochs);
      t++;
      total += tf.tidy(() => this.step(picked, w, first, second, rate, t, random));
    }
    const read = (variables: typeof w): Weights =>
      Object.fromEntries(Object.entries(variables).map(([name, v]) => [name, v.dataSync() as Float32Array]));
    const checkpoint = { epoch: from.epoch + 1, weights: read(w), first: read(first), second: read(second) };
    for (const variable of [w, first, second].flatMap((set) => Object.values(set))) variable.dispose();
    return { checkpoint, loss: total / steps };
  }

  /** Adam (Kingma and Ba, 2015), by hand: the library's optimizer does not let its moments be saved before every step alike. */
  private step(
    groups: readonly LabelledGroup[],
    w: { [name: string]: TensorFlow.Variable },
    first: { [name: string]: TensorFlow.Variable },
    second: { [name: string]: TensorFlow.Variable },
    rate: number,
    t: number,
    random: () => number,
  ): number {
    const { tf } = this.backend;
    const drawn = groups.map(({ plans }) => draw(plans, random));
    const { value, grads } = tf.variableGrads(() => this.loss(groups, drawn, w), Object.values(w));
    const byName = new Map(Object.entries(w).map(([name, variable]) => [name, grads[variable.name]]));
    for (const [name, gradient] of byName) {
      if (gradient === undefined) continue;
      first[name]!.assign(tf.add(tf.mul(first[name]!, BETA.first), tf.mul(gradient, 1 - BETA.first)));
      second[name]!.assign(tf.add(tf.mul(second[name]!, BETA.second), tf.mul(tf.square(gradient), 1 - BETA.second)));
      const m = tf.div(first[name]!, 1 - BETA.first ** t);
      const v = tf.div(second[name]!, 1 - BETA.second ** t);
      w[name]!.assign(tf.sub(w[name]!, tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), 1e-7))));
    }
    return value.dataSync()[0]!;
  }

  /** mean(√(1 + (5we)²) − 1) over the heads, and 0.3 × cross entropy of every pair's order with the soft target σ(ΔU / 0.05). */
  private loss(
    groups: readonly LabelledGroup[],
    drawn: readonly (readonly LabelledPlan[])[],
    w: { [name: string]: TensorFlow.Variable },
  ): TensorFlow.Scalar {
    const { tf } = this.backend;
    const flat = drawn.flat();
    const { graph } = this.settings;
    const heads = predict(tf, w, featureBatch(flat.map(({ features }) => features)), this.normal(), { graph }); // [B, 3]
    const labels = tf.tensor(Float32Array.from(flat.flatMap(({ labels: own }) => [...own])), [flat.length, 3]);
    const weight = tf.tensor(
      Float32Array.from(flat, (plan) => plan.weight),
      [flat.length, 1],
    );
    const error = tf.mul(tf.mul(tf.sub(heads, labels), tf.tensor1d(HEAD_WEIGHTS)), 5);
    const heading = tf.mean(tf.mul(weight, tf.sub(tf.sqrt(tf.add(tf.square(error), 1)), 1)));
    const [slo, rate] = [
      groups.flatMap(({ load }) => new Array<number>(PLANS).fill(Math.log(load.sloMs))),
      groups.flatMap(({ load }) => new Array<number>(PLANS).fill(Math.log(0.97 * load.ratePerSecond))),
    ];
    const u = (of: TensorFlow.Tensor): TensorFlow.Tensor => {
      const [cost, p95, throughput] = tf.unstack(of, 1) as [TensorFlow.Tensor, TensorFlow.Tensor, TensorFlow.Tensor];
      const late = tf.mul(tf.relu(tf.sub(p95, tf.tensor1d(slo))), 2);
      const behind = tf.mul(tf.relu(tf.sub(tf.tensor1d(rate), throughput)), 4);
      return tf.reshape(tf.neg(tf.addN([cost, late, behind])), [groups.length, PLANS]);
    };
    const differences = (of: TensorFlow.Tensor): TensorFlow.Tensor =>
      tf.div(tf.sub(tf.expandDims(of, 2), tf.expandDims(of, 1)), TEMPERATURE);
    const said = differences(u(heads));
    const target = tf.sigmoid(differences(u(labels)));
    const ordering = tf.mean(tf.sub(tf.softplus(said), tf.mul(target, said)));
    return tf.add(heading, tf.mul(ordering, PAIRS)).asScalar();
  }

  /** The model as it is, calibrated on the groups to validate by: its `validation…` metrics are of these. */
  model({ weights }: Checkpoint): GcnModel {
    const { seed, graph } = this.settings;
    const untried: GcnModel = {
      graph,
      seed,
      dataHash: hashOf(this.data, this.validate),
      normalisation: this.normal(),
      calibration: UNTRIED,
      metrics: {},
      weights,
    };
    const scorer = new Scorer(this.backend, untried);
    const judged = this.validate.map((group) => ({ group, heads: scorer.heads(group.plans.map(({ features }) => features)) }));
    scorer.dispose();
    const { calibration, metrics } = calibrate(judged);
    return {
      ...untried,
      calibration,
      metrics: {
        pipelines: this.data.length,
        ...sourcesOf(this.data),
        plans: this.data.reduce((sum, { plans }) => sum + plans.length, 0),
        executions: [...this.data, ...this.validate].reduce((sum, { executions }) => sum + executions, 0),
        epochs: this.settings.epochs,
        ...metrics,
      },
    };
  }
}

/** Of how many pipelines from where: of shapes drawn at random, or cut out of what was published. */
function sourcesOf(groups: readonly LabelledGroup[]): GcnModel['metrics'] {
  const from = (...sources: readonly string[]): number =>
    groups.filter(({ family }) => sources.some((source) => family.startsWith(`${source}-`))).length;
  return { randomPipelines: from('chain', 'dag'), wfInstancesPipelines: from('wfinstances'), jolteonPipelines: from('jolteon') };
}

function draw(plans: readonly LabelledPlan[], random: () => number): LabelledPlan[] {
  const order = shuffled(plans.length, random);
  return Array.from({ length: PLANS }, (_, i) => plans[order[i % order.length]!]!);
}

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
