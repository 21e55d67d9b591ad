import { expect, it } from 'vitest';
import { calibrationText, type Report } from './calibrate.js';

type Measured = Report['measured'][number];
const measured = (name: string, memoryMb: number, cpuMsPerRecord?: number): Measured => ({
  ...{ function: name, memoryMb, invocations: 3 },
  ...(cpuMsPerRecord !== undefined && { cpuMsPerRecord }),
});

const report: Report = {
  pipeline: 'orders',
  version: 'v2',
  records: 40,
  batchSizes: [1, 10],
  measured: [measured('parse', 128, 0.5), measured('parse', 512, 0.25), measured('score', 128), measured('score', 512, 12)],
  notMeasured: ['look-up', 'store'],
};

it('a calibration is a table of functions by memory, with what does not run there and what was not measured', () => {
  const lines = calibrationText(report).split('\n');
  expect(lines[0]).toMatch(/^CPU PER RECORD +128 MB +512 MB$/);
  expect(lines[1]).toMatch(/^parse +0\.5 ms +0\.25 ms$/);
  expect(lines[2]).toMatch(/^score +does not run +12 ms$/);
  expect(lines.slice(3)).toEqual([
    'v2 · 40 recorded inputs, in batches of 1 and 10',
    'answered from recordings, not measured: look-up, store',
  ]);
});

it('where nothing is pure it says that nothing can be measured', () => {
  expect(calibrationText({ ...report, measured: [], notMeasured: [] })).toContain('No function of it is pure');
});
