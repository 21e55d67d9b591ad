import { uniform } from '@autoflow/twin';
import { beforeAll, expect, it } from 'vitest';
import { loadBackend, type TensorBackend } from '../backend.js';
import { GLOBAL_FEATURES, NODE_FEATURES, type Dependency } from '../features.js';
import type { LabelledGroup, LabelledPlan } from './labels.js';
import { randomDagShape } from './random-problems.js';
import { Training } from './training.js';

let backend: TensorBackend;
beforeAll(async () => {
  backend = await loadBackend('native', () => undefined);
});

const SLO_MS = 1000;
const STAGES = 6;
/** What the formula does not know of p95. */
const LATER = 0.3;

/** As many stages everywhere, with features that have nothing to do with how they hang together: only the edges tell what the formula leaves out. */
function planOf(random: () => number): LabelledPlan {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const shape = randomDagShape(STAGES, random);
  const joins = shape.map((inputs) => inputs.length > 1);
  const dependencies = shape.flatMap((inputs, to): Dependency[] => inputs.map((from) => ({ from, to, features: [1, joins[to] ? 1 : 0] })));
  const analytic = [between(0, 0.5), Math.log(SLO_MS) + between(-0.6, 0.3), Math.log(10)];
  const isLater = joins.slice(0, -1).includes(true);
  return {
    features: {
      stages: STAGES,
      nodes: Float32Array.from({ length: STAGES * NODE_FEATURES }, () => between(-1, 1)),
      dependencies,
      global: Float32Array.from({ length: GLOBAL_FEATURES }, () => between(-1, 1)),
      analytic: Float32Array.from(analytic),
    },
    labels: Float32Array.from(analytic.with(1, analytic[1]! + (isLater ? LATER : 0))),
    weight: 1,
  };
}

/** Pipelines `from` to `from + count`. */
function groupsOf(from: number, count: number): LabelledGroup[] {
  return Array.from({ length: count }, (_, i) => {
    const random = uniform(1000 + from + i);
    const plans = Array.from({ length: 24 }, () => planOf(random));
    return { family: `made-up-${from + i}`, load: { ratePerSecond: 10, sloMs: SLO_MS }, plans, executions: 24 };
  });
}

function trained(graph: boolean) {
  const settings = { seed: 1, graph, epochs: 10, rate: { first: 4e-3, last: 4e-4 } };
  const training = new Training(backend, groupsOf(0, 96), groupsOf(500, 16), settings);
  let checkpoint = training.begin();
  while (checkpoint.epoch < settings.epochs) checkpoint = training.epoch(checkpoint).checkpoint;
  return training.model(checkpoint);
}

it('learns from the graph what the formula leaves out, and is believed for it on pipelines that it has not seen; without the graph it cannot', () => {
  const [{ calibration, metrics }, alone] = [trained(true), trained(false)];
  expect(calibration.belief[1].trust).toBeGreaterThan(0);
  expect(metrics['validationTau']).toBeGreaterThan(metrics['validationTauOfFormula']! + 0.05);
  expect(metrics['validationP95Error']).toBeLessThan(LATER / 2);
  expect(alone.metrics['validationTau']).toBeLessThan(metrics['validationTau']! - 0.05);
  expect(alone.metrics['validationP95Error']).toBeGreaterThan(LATER / 2);
});
