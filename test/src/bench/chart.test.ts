import { expect, it } from 'vitest';
import { chart } from './chart.js';

const panel = { title: 'Throughput', x: 'offered', y: 'achieved <records>' };

it('draws every point of every series once, and says whose it is', () => {
  const series = [
    { name: 'as written', points: [{ x: 1, y: 1 }, { x: 10, y: 8 }] }, // prettier-ignore
    { name: 'batched', points: [{ x: 100, y: 90 }, { x: 0, y: 0 }] }, // prettier-ignore
  ];
  const svg = chart([{ ...panel, series, line: { at: 50, name: 'level' } }]);
  expect(svg.match(/<circle/g)).toHaveLength(3);
  expect(svg).toContain('>as written<');
  expect(svg).toContain('achieved &lt;records>');
  expect(svg).not.toMatch(/NaN|Infinity/);
});

it('says that there is nothing to draw', () => {
  expect(chart([{ ...panel, series: [] }])).toContain('nothing was measured');
});
