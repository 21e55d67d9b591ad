import type { OptimizationDetail } from '@autoflow/client';
import { describe, expect, it } from 'vitest';
import { optimizationText } from './text.js';

type Found = NonNullable<OptimizationDetail['found']>;

const estimate = (mean: number) => ({ mean, halfWidth: mean / 10 });
const predicted = (scale: number) => ({
  throughput: estimate(50),
  latencyMs: { mean: estimate(100 * scale), p50: estimate(90 * scale), p95: estimate(200 * scale), p99: estimate(300 * scale) },
  costPer1000: { all: estimate(0.05 * scale), withoutActions: estimate(0.01 * scale) },
});
const topology = {
  stages: [
    { name: 'parse+score', nodes: ['parse', 'score'], after: [], partitions: 2 },
    { name: 'store', nodes: ['store'], after: ['parse+score'], partitions: 1 },
  ],
  batch: { records: 20, bytes: 8_388_608 },
  lingerMs: 50,
};
const allocation = { 'parse+score': { memoryMb: 512, concurrency: 3 }, store: { memoryMb: 256, concurrency: 2 } };
const figures = { costPer1000: 0.02, p95Ms: 160, p99Ms: 250, throughput: 50 };
const found: Found = {
  proposal: {
    ...{ topology, allocation, proposer: 'beam', predicted: predicted(0.5), gain: { mean: -0.7, halfWidth: 0.1 } },
    certificate: {
      from: 'aaaaaaaaaa',
      to: 'bbbbbbbbbb',
      steps: [{ step: { rewrite: 'fuse' } }, { step: { rewrite: 'batch-size' } }, { step: { rewrite: 'partition' } }],
    },
  },
  running: predicted(1),
  front: [
    { ...figures, topology, allocation },
    {
      ...figures,
      costPer1000: 0.04,
      p95Ms: 80,
      topology: { ...topology, batch: { records: 1, bytes: 8_388_608 }, lingerMs: 0 },
      allocation,
    },
  ],
  gap: { reason: 'the search was cut short' },
  standing: [
    { proposer: 'beam', evaluations: 300, ms: 4_000, best: figures, regret: 0 },
    { proposer: 'random', evaluations: 300, ms: 3_000, note: 'not enumerated' },
  ],
  scored: [
    {
      ...{ topology, allocation, probability: 0.93, predicted: { costPer1000: 0.021, p95Ms: 170, throughput: 50 } },
      why: [
        { stage: 'store', costShare: 0.3, learned: 0.02 },
        { stage: 'parse+score', costShare: 0.614, learned: -0.31 },
        { stage: 'another', costShare: 0.086, learned: 0.001 },
      ],
    },
  ],
};
const optimization: OptimizationDetail = {
  ...{ id: 'o-1', pipeline: 'orders', actor: 'admin', state: 'completed', request: { dryRun: true }, version: 'v2' },
  ...{ ratePerSecond: 50, createdAt: '2026-11-30T00:00:00.000Z', found },
  decisions: [{ step: 'propose', verdict: 'go-on', reason: 'beam won' }],
};
const lines = (gap: Found['gap'] = found.gap) => optimizationText({ ...optimization, found: { ...found, gap } }).split('\n');
const cells = (start: string) => lines()[lines().findIndex((line) => line.startsWith(start)) + 1]?.split(/ {2,}/);

describe('what an optimization came to', () => {
  it('is what is better, in which stages, and by which legal steps', () => {
    expect(lines()[0]).toBe('orders o-1 completed: better than v2 at 50/s, found by beam, 2 stages, batches of 20, linger 50 ms');
    expect(lines().find((line) => line.startsWith('p95'))).toMatch(/100 ms ± 10 ms +200 ms ± 20 ms/);
    expect(
      lines()
        .find((line) => line.startsWith('store'))
        ?.split(/ {2,}/),
    ).toEqual(['store', 'parse+score', '1', '256', '2']);
    expect(lines()).toContain('certificate: aaaaaaa → bbbbbbb in 3 legal steps, checked (fuse, batch-size, partition)');
  });

  it.each<[Found['gap'], string]>([
    [
      { share: 0.034, space: { plans: 5_832, by: 'twin' } },
      'optimality gap: 3.4 % to the best of cuts × batching × memory, 5832 plans, enumerated by twin',
    ],
    [
      { share: -0.01, space: { plans: 36, by: 'twin' } },
      'optimality gap: none in that space (cuts × batching × memory, 36 plans, enumerated by twin)',
    ],
    [
      { share: 0.02, bestKnown: { evaluations: 900, proposers: ['beam', 'random', 'gcn'] }, reason: 'there are too many plans' },
      'gap to the best known of 900 plans that 3 proposers asked the twin about: 2 % (no optimum is known: there are too many plans)',
    ],
    [{ reason: 'the search was cut short' }, 'optimality gap: unknown, the search was cut short'],
  ])('has a gap, and says to what: %j', (gap, line) => {
    expect(lines(gap)).toContain(line);
  });

  it('has the Pareto front, every proposer, and why the scorer ranks as it does', () => {
    const front = lines().findIndex((line) => line.startsWith('PARETO FRONT'));
    expect(
      lines()
        .slice(front + 1, front + 3)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['2 stages, batches of 20, linger 50 ms', '$0.02', '160 ms', '50'],
      ['2 stages, batches of 1, linger 0 ms', '$0.04', '80 ms', '50'],
    ]);
    expect(cells('PROPOSER')).toEqual(['beam', '300', '4 s', '$0.02', '160 ms', '0 %']);
    const why = 'parse+score 61.4 % of the cost, learned −0.31; store 30 % of the cost, learned +0.02';
    expect(cells('SCORED')?.slice(1)).toEqual(['93 %', '$0.021', '170 ms', why]);
    expect(lines().find((line) => line.startsWith('SCORED'))).toMatch(/WHY: ITS STAGES BY FORMULA, AND WHAT WAS LEARNED BEYOND IT$/);
  });

  it.each<[string, object[], string]>([
    [
      'nothing was learned: the stages that cost most',
      [
        { stage: 'store', costShare: 0.1, learned: 0.003 },
        { stage: 'score', costShare: 0.61, learned: -0.004 },
        { stage: 'parse', costShare: 0.29, learned: 0 },
      ],
      'score 61 % of the cost, nothing learned; parse 29 % of the cost, nothing learned',
    ],
    [
      'something was learned of a cheap stage: that stage beside the costliest',
      [
        { stage: 'score', costShare: 0.61, learned: 0 },
        { stage: 'parse', costShare: 0.29, learned: 0 },
        { stage: 'store', costShare: 0.1, learned: -0.02 },
      ],
      'score 61 % of the cost, nothing learned; store 10 % of the cost, learned −0.02',
    ],
    ['there is one stage: that', [{ stage: 'all', costShare: 1, learned: 0.5 }], 'all 100 % of the cost, learned +0.50'],
    ['nothing is told of the stages: nothing', [{ stage: 'all' }], ''],
  ])('says of a scored plan of which %s', (_, why, text) => {
    const scored = found.scored.map((one) => ({ ...one, why: why as Found['scored'][number]['why'] }));
    const all = optimizationText({ ...optimization, found: { ...found, scored } }).split('\n');
    expect(all[all.findIndex((line) => line.startsWith('SCORED')) + 1]?.split(/ {2,}/)[4] ?? '').toBe(text);
  });

  it('is why nothing is proposed, where nothing is', () => {
    const { proposal: _, ...kept } = found;
    const text = optimizationText({ ...optimization, found: kept, reason: 'Keep v2: no plan was found.' });
    expect(text.split('\n')[0]).toBe('orders o-1 completed: Keep v2: no plan was found.');
    expect(text).not.toContain('certificate');
  });
});
