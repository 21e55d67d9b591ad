import type { WhatIf } from '@autoflow/client';
import { describe, expect, it } from 'vitest';
import { changed, stageOption, whatIfText } from './what-if.js';

describe('an allocation to ask about', () => {
  const now = { version: 'v3', stages: { parse: { memoryMb: 512, concurrency: 4 }, 'score+store': { memoryMb: 1024, concurrency: 8 } } };
  const option = (...texts: string[]) => texts.reduce((before, text) => stageOption(text, before), [] as ReturnType<typeof stageOption>);

  it('is that of the version but for the stages that are given', () => {
    expect(changed('orders', now, option('score+store=1769x2'))).toEqual({
      version: 'v3',
      stages: { ...now.stages, 'score+store': { memoryMb: 1769, concurrency: 2 } },
    });
    expect(Object.values(changed('orders', now, option('parse=256x1', 'score+store=512x3')).stages)).toEqual([
      { memoryMb: 256, concurrency: 1 },
      { memoryMb: 512, concurrency: 3 },
    ]);
  });

  it.each(['parse', 'parse=512', 'parse=512x', 'parse=0x2', 'parse=512x1.5', 'parse=512MBx2', '=512x2'])('%s is none', (text) => {
    expect(() => option(text)).toThrow('such as score-fraud=512x4');
  });

  it('names a stage of the version, and none twice', () => {
    expect(() => changed('orders', now, option('score=512x2'))).toThrow('orders v3 has no stage score; its stages are parse, score+store.');
    expect(() => option('parse=512x2', 'parse=256x2')).toThrow('parse is given twice');
  });
});

it('an answer is shown beside what runs, what was measured, and the error of the twin', () => {
  const predicted = (scale: number): WhatIf['predicted'] => {
    const estimate = (mean: number) => ({ mean: mean * scale, halfWidth: mean / 100 });
    return {
      throughput: estimate(50),
      latencyMs: { mean: estimate(100), p50: estimate(90), p95: estimate(200), p99: estimate(300) },
      costPer1000: { all: estimate(0.05), withoutActions: estimate(0.01) },
    };
  };
  const text = whatIfText({
    pipeline: 'orders',
    version: 'v3',
    ratePerSecond: 200,
    predicted: predicted(4),
    running: {
      version: 'v2',
      measured: { throughput: 49, latencyMs: { mean: 1, p50: 1, p95: 190, p99: 1 }, costPer1000: { all: 0.049, withoutActions: 0.01 } },
      predicted: predicted(1),
    },
    error: { throughput: 0.02, p95: 0.05 },
    notes: [{ code: 'ONE_BATCH_SIZE', message: 'one batch size only' }],
  });
  const cells = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(/ {2,}/);
  expect(cells(' ')?.slice(1)).toEqual(['v3 AT 200/S', 'v2 NOW, SIMULATED', 'MEASURED', 'ERROR OF THE TWIN']);
  expect(cells('records/s')).toEqual(['records/s', '200 ± 0.5', '50', '49', '2 %']);
  expect(cells('p95')).toEqual(['p95', '800 ms ± 2 ms', '200 ms', '190 ms', '5 %']);
  expect(cells('$ per 1,000')).toEqual(['$ per 1,000', '$0.2 ± $0.0005', '$0.05', '$0.049', '–']);
  expect(text.split('\n').at(-1)).toBe('note: one batch size only');
});
