import { uniform } from '@autoflow/twin';
import { describe, expect, it } from 'vitest';
import type { PlanFeatures } from '../features.js';
import { calibrate, type JudgedGroup } from './calibrate.js';
import { believed, calibrationError, isBetter, logLoss, sigmoid } from './calibration.js';
import { leadOf, utility } from './utility.js';

const LOAD = { ratePerSecond: 10, sloMs: 1000 };

/** Plans that keep every promise; `formula` and `said` are what each of the two adds to the true cost. */
function judged(
  seed: number,
  formula: (random: () => number) => number,
  said: (random: () => number, formula: number) => number,
): JudgedGroup {
  const random = uniform(seed);
  const rows = Array.from({ length: 30 }, () => {
    const truth = [0.5 * random(), Math.log(500), Math.log(10)];
    const off = formula(random);
    return { truth, analytic: [truth[0]! + off, truth[1]!, truth[2]!], heads: [truth[0]! + said(random, off), truth[1]!, truth[2]!] };
  });
  return {
    group: {
      family: 'f',
      load: LOAD,
      executions: 1,
      plans: rows.map(({ truth, analytic }) => ({
        features: { analytic: Float32Array.from(analytic) } as PlanFeatures,
        labels: Float32Array.from(truth),
        weight: 1,
      })),
    },
    heads: Float32Array.from(rows.flatMap(({ heads }) => heads)),
  };
}
const noise = (random: () => number, width: number): number => width * (2 * random() - 1);
const groups = (...how: [Parameters<typeof judged>[1], Parameters<typeof judged>[2]]): JudgedGroup[] =>
  Array.from({ length: 20 }, (_, seed) => judged(seed + 1, ...how));

describe('calibrating', () => {
  it('leaves a formula alone that is right where the network only adds noise', () => {
    const { calibration, metrics } = calibrate(groups(() => 0, (random) => noise(random, 0.05))); // prettier-ignore
    expect(calibration.belief[0].trust).toBe(0);
    expect(metrics['validationTau']).toBeCloseTo(1, 6);
  });

  it('believes a network that knows better, and not its noise where the formula is right', () => {
    const wrong = (random: () => number): number => (random() < 0.3 ? 0.3 : 0);
    const { calibration, metrics } = calibrate(groups(wrong, (random) => noise(random, 0.02)));
    const [{ trust, noise: ignored }] = calibration.belief;
    expect(trust).toBe(1);
    expect(ignored).toBeGreaterThan(0);
    expect(metrics['validationTau']).toBeGreaterThan(metrics['validationTauOfFormula']! + 0.1);
  });

  it('says how sure a lead is: a formula that is nearly exact tells small differences apart', () => {
    const { calibration, metrics } = calibrate(groups((random) => noise(random, 0.001), (_, off) => off)); // prettier-ignore
    const of = (cost: number) => utility({ minimise: 'cost', p95Ms: 1000 }, 10, 1, [cost, Math.log(500), Math.log(10)], calibration.spread);
    expect(sigmoid(leadOf(of(0.1), of(0.11)) / calibration.temperature)).toBeGreaterThan(0.95);
    expect(metrics['validationEce']).toBeLessThan(0.05);
  });
});

describe('utility', () => {
  const spread = { cost: 0.001, p95: 0.1, throughput: 0.01 };
  const of = (p95Ms: number) => utility({ minimise: 'cost', p95Ms: 1000 }, 10, 1, [0, Math.log(p95Ms), Math.log(10)], spread);

  it('has the mean and the variance that draws around the heads have', () => {
    const random = uniform(7);
    for (const p95Ms of [850, 1000, 1100]) {
      const scores = Array.from({ length: 40_000 }, () => {
        const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        const late = Math.log(p95Ms / 1000) + 0.1 * z;
        return late > 0 ? 1 + 2 * late : 0;
      });
      const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
      const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
      expect(of(p95Ms).mean).toBeCloseTo(-mean, 1);
      expect(of(p95Ms).variance).toBeCloseTo(variance, 1);
    }
  });

  it('is unsure near a limit, and sure far from it', () => {
    expect(Math.abs(leadOf(of(900), of(990)))).toBeLessThan(1);
    expect(leadOf(of(500), of(2000))).toBeGreaterThan(5);
  });
});

it('believes nothing below the noise, and what is beyond it as far as it is trusted', () => {
  expect(believed(2, 2.01, { trust: 1, noise: 0.02 })).toBe(2);
  expect(believed(2, 2.12, { trust: 0.5, noise: 0.02 })).toBeCloseTo(2.05, 9);
  expect(believed(2, 1.88, { trust: 0.5, noise: 0.02 })).toBeCloseTo(1.95, 9);
  expect(calibrationError([{ lead: 100, better: 1 }], 1)).toBeCloseTo(0, 9);
});

it('counts plans that are worth the same half: to be unsure of them is right, and to be sure of either is as wrong', () => {
  expect([isBetter(2, 1), isBetter(1, 2), isBetter(1, 1)]).toEqual([1, 0, 0.5]);
  const same = (lead: number) => [{ lead, better: isBetter(1, 1) }];
  expect(calibrationError(same(0), 1)).toBe(0);
  expect(calibrationError(same(100), 1)).toBeCloseTo(0.5, 9);
  expect(logLoss(same(3), 1)).toBeCloseTo(logLoss(same(-3), 1), 9);
  expect(logLoss(same(0), 1)).toBeLessThan(logLoss(same(1), 1));
});
