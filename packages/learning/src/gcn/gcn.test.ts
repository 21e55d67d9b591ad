import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Evaluator, PlanSpace, PROPOSERS, regret, type Proposer } from '@autoflow/optimizer';
import { validateTopology } from '@autoflow/topology';
import { uniform } from '@autoflow/twin';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend, type TensorBackend } from '../backend.js';
import { featureBatch, type PlanFeatures } from '../features.js';
import { labelled, type LabelledGroup } from './labels.js';
import { serialiseModel, type GcnModel } from './model-file.js';
import { initialWeights, predict, WEIGHTS, type Tensors, type Weights } from './network.js';
import { normalisationOf } from './normalisation.js';
import { gcnProposer } from './proposer.js';
import { chainShape, familyOf, randomProblem } from './random-problems.js';
import { Training } from './training.js';

const DIAMOND = [[], [0], [0], [1, 2]];
/** Too many plans to rank them all. */
const JOINS = [[], [0], [0], [1, 2], [3], [3], [4, 5], [6]];
const groups: LabelledGroup[] = [DIAMOND, chainShape(3)].map((shape, i) => labelled(randomProblem(shape, 5 + i), familyOf(shape), 12));
const features = groups[0]!.plans.map((plan) => plan.features);
let backend: TensorBackend;
let trained: GcnModel;
beforeAll(async () => {
  backend = await loadBackend('native', () => undefined);
  const training = new Training(backend, groups, groups, { seed: 1, graph: true, epochs: 3 });
  let checkpoint = training.begin();
  for (let i = 0; i < 3; i++) checkpoint = training.epoch(checkpoint).checkpoint;
  trained = training.model(checkpoint);
});

const tensors = (weights: Weights): Tensors =>
  Object.fromEntries(Object.entries(WEIGHTS).map(([name, shape]) => [name, backend.tf.tensor(weights[name]!, [...shape])]));
const randomHeads = (): Weights => {
  const random = uniform(9);
  const weights = initialWeights(random);
  return { ...weights, heads: weights['heads']!.map(() => random() - 0.5) };
};

describe('the network', () => {
  const heads = (weights: Weights, plans: readonly PlanFeatures[]): number[] => {
    const { tf } = backend;
    return tf.tidy(() => [...predict(tf, tensors(weights), featureBatch(plans), normalisationOf(features), { graph: true }).dataSync()]);
  };

  it('says what the formula says before it has learned anything', () => {
    const said = heads(initialWeights(uniform(1)), features);
    said.forEach((value, i) => expect(value).toBeCloseTo(features[Math.floor(i / 3)]!.analytic[i % 3]!, 5));
  });

  it('does not mind in which order the stages come, nor what stands beside a plan in its batch', () => {
    const plan = features.find(({ stages }) => stages === 4)!;
    const width = plan.nodes.length / 4;
    const order = [3, 1, 0, 2];
    const nodes = Float32Array.from(order.flatMap((s) => [...plan.nodes.slice(s * width, (s + 1) * width)]));
    const dependencies = plan.dependencies.map((one) => ({ ...one, from: order.indexOf(one.from), to: order.indexOf(one.to) }));
    const [straight, mixed] = [heads(randomHeads(), [plan]), heads(randomHeads(), [{ ...plan, nodes, dependencies }, features[0]!])];
    straight.forEach((value, k) => expect(mixed[k]).toBeCloseTo(value, 4));
    const turned = plan.dependencies.map((one) => ({ ...one, from: one.to, to: one.from }));
    expect(heads(randomHeads(), [{ ...plan, dependencies: turned }])[0]).not.toBeCloseTo(straight[0]!, 4);
  });

  it('has the gradient that differences show', () => {
    const { tf } = backend;
    const weights = randomHeads();
    const at = (entry: number, shift: number): number =>
      heads({ ...weights, in2: weights['in2']!.with(entry, weights['in2']![entry]! + shift) }, features).reduce((a, b) => a + b, 0);
    const batch = featureBatch(features);
    const own = tensors(weights);
    const slopes = tf
      .grad((in2) => tf.sum(predict(tf, { ...own, in2 }, batch, normalisationOf(features), { graph: true })))(own['in2']!)
      .dataSync();
    const step = 0.01;
    const misses = Array.from({ length: 10 }, (_, i) => 70 + i).map((entry) =>
      Math.abs((at(entry, step) - at(entry, -step)) / (2 * step) - slopes[entry]!),
    );
    // A kink of a rectifier may lie within a step.
    expect(misses.filter((miss) => miss < 0.005).length).toBeGreaterThanOrEqual(8);
  });
});

describe('training', () => {
  it('goes on from a checkpoint as if it had never stopped, and leaves no tensor behind', () => {
    const settings = { seed: 1, graph: true, epochs: 3 };
    const before = backend.tf.memory().numTensors;
    const one = new Training(backend, groups, groups, settings);
    const half = one.epoch(one.begin()).checkpoint;
    const again = new Training(backend, groups, groups, settings);
    const resumed = again.epoch(again.epoch(structuredClone(half)).checkpoint).checkpoint;
    expect(resumed.weights).toEqual(trained.weights);
    expect(trained.metrics).toMatchObject({ pipelines: 2, randomPipelines: 2, wfInstancesPipelines: 0, jolteonPipelines: 0 });
    expect(backend.tf.memory().numTensors).toBe(before);
  });
});

describe('the proposer', () => {
  const search = (evaluations: number) => {
    const problem = randomProblem(chainShape(3), 11);
    const account = new Evaluator(problem, 50).account({ evaluations, ms: 60_000 });
    return { problem, space: new PlanSpace(problem), account, random: uniform(1) };
  };

  it('asks the twin no more often than it may, and says why it ranks as it does', async () => {
    const proposer = await gcnProposer({ model: trained, backend, log: () => undefined });
    const own = search(8);
    const { ranked, scored } = await proposer.propose(own);
    expect(own.account.used.evaluations).toBeLessThanOrEqual(8);
    expect(ranked.length).toBeGreaterThan(1);
    // As sure as can be, both may be.
    expect(scored[0]!.probability).toBeGreaterThan(scored.at(-1)!.probability - 1e-9);
    expect(scored[0]!.why.map(({ stage }) => stage).sort()).toEqual(scored[0]!.plan.topology.stages.map(({ name }) => name).sort());
  });

  it('goes on from the answers of the twin where it cannot rank every plan: a scorer that knows nothing finds the way all the same', async () => {
    const problem = randomProblem(JOINS, 3);
    const evaluator = new Evaluator(problem, 50);
    const best = async (proposer: Proposer, evaluations: number): Promise<number> => {
      const account = evaluator.account({ evaluations, ms: 600_000 });
      return (await proposer.propose({ problem, space: new PlanSpace(problem), account, random: uniform(1) })).ranked[0]!.score;
    };
    const ignorant = await gcnProposer({ model: { ...trained, weights: randomHeads() }, backend, log: () => undefined });
    const annealing = PROPOSERS.find(({ name }) => name === 'annealing')!;
    expect(regret(await best(ignorant, 200), await best(annealing, 800))).toBeLessThan(0.1);
  });

  it.each([
    ['60 functions in a row', chainShape(60)],
    ['40 branches beside each other', [[], ...Array.from({ length: 40 }, () => [0]), Array.from({ length: 40 }, (_, i) => i + 1)]],
  ])('of %s: claims no enumeration, and ranks what is legal', async (_, shape) => {
    const problem = randomProblem(shape, 4);
    const proposer = await gcnProposer({ model: trained, backend, log: () => undefined });
    const account = new Evaluator(problem, 50).account({ evaluations: 6, ms: 1_000 });
    const { ranked, scored, note } = await proposer.propose({ problem, space: new PlanSpace(problem), account, random: uniform(1) });
    expect(note).toMatch(/^not enumerated: /);
    for (const { plan } of ranked) expect(validateTopology(problem.spec, plan.topology)).toEqual([]);
    for (const { probability } of scored) expect(probability >= 0 && probability <= 1).toBe(true);
  });

  it.each([
    ['is not there', undefined, 'cannot be read'],
    ['is truncated', (text: string) => text.slice(0, text.length / 2), 'truncated or no JSON'],
    ['is of another version', (text: string) => text.replace('autoflow-gcn/3', 'autoflow-gcn/7'), 'autoflow-gcn/7'],
  ])('ranks by formula and says so where the model %s', async (_, changed, why) => {
    const model = join(await mkdtemp(join(tmpdir(), 'gcn-')), 'gcn.json');
    if (changed) await writeFile(model, changed(serialiseModel(trained)));
    const lines: string[] = [];
    const proposer = await gcnProposer({ model, backend, log: (line) => lines.push(line) });
    const { note, ranked } = await proposer.propose(search(8));
    expect(note).toContain('ranked by formula');
    expect(lines[0]).toContain(why);
    expect(ranked.length).toBeGreaterThan(1);
  });
});
