import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { backlog, functionModel, LOCAL_HOST, planModel, poissonArrivals, simulate, type MeteredInvocation } from '@autoflow/twin';
import { expect, it } from 'vitest';
import { fitPipeline, misses, type MeasuredPipeline } from './fitted-pipeline.js';
import { pipelineOf } from './testing/problems.js';

const exact = { costPer1000: 0, throughput: 0, p95: 0 };

it.each([
  [{ costPer1000: -0.24, throughput: 0.29, p95: 0.99 }, false, []],
  [{ ...exact, costPer1000: 0.26 }, false, ['cost']],
  [{ ...exact, throughput: -0.31 }, false, ['throughput']],
  [{ ...exact, p95: 1.1 }, false, ['p95']],
  [{ ...exact, p95: -0.8 }, false, ['p95']],
  [{ ...exact, p95: -0.8 }, true, []],
  [{ ...exact, throughput: Number.NaN }, true, ['throughput']],
])('a twin with the errors %j (at saturation: %s) is unfit in %j', (error, saturated, unfit) => {
  expect(misses(error, saturated)).toEqual(unfit.map((what) => expect.stringContaining(`misses the ${what} of`)));
});

const spec = pipelineOf(2);
const host = { ...LOCAL_HOST, cores: 4 };
const topology = { ...asWritten(spec), batch: { records: 8, bytes: 8e6 }, lingerMs: 200 };
const allocation = defaultAllocation(spec, topology, defaultEnvelope(spec, topology));
const model = functionModel({ cpuFixedMs: 5, cpuPerRecordMs: 2 });

/** Batches of 8 and single records in turn, of v1 and v2 in turn; what `f1` takes in v2 is `slower` times as long. */
function measured(slower: number, perSecond = 25): MeasuredPipeline {
  const rows = Array.from({ length: 160 }, (_, i): MeteredInvocation[] => {
    const [version, records] = [i % 2 === 0 ? 'v1' : 'v2', i % 4 < 2 ? 8 : 1];
    return ['f0', 'f1'].map((node, s) => {
      const cpuMs = (5 + 2 * records) * (1 + 0.02 * (i % 5)) * (version === 'v2' && node === 'f1' ? slower : 1);
      return {
        executionId: `${version}/${i}`,
        version,
        stage: node,
        startedAt: new Date(1000 * i + 35 * s),
        gateMs: 0,
        coldStartMs: 0,
        durationMs: cpuMs + 3,
        cpuMs: cpuMs + 2,
        runQueueMs: 0,
        peakMemoryMb: 60 + 0.1 * records,
        memoryMb: allocation[node]!.memoryMb,
        recordsIn: records,
        bytesIn: 1000 * records,
        bytesOut: 1000 * records,
        outcome: 'ok',
        spans: [{ node, recordsIn: records, filtered: 0, dead: 0, retried: 0, wallMs: cpuMs, cpuMs }],
      };
    });
  }).flat();
  const plan = planModel({ spec, topology, models: { f0: model, f1: model }, host, recordBytes: 1000 });
  const did = simulate(plan, allocation, { arrivals: poissonArrivals(perSecond, 3000, 1), seed: 1, openExecutions: 'fed' });
  return { spec, rows, host, running: { version: 'v1', topology, allocation, measured: did } };
}

it('versions that contradict each other are models of neither: nothing is proposed from them', () => {
  expect(fitPipeline(measured(1))).toEqual({ fitted: expect.anything() });
  expect(fitPipeline(measured(4))).toEqual({
    refused: 'CONTRADICTORY',
    reasons: [expect.stringMatching(/^'f1' took .* times as long in v2 as in v1/)],
  });
});

it('what was given less than it can do misses nothing by that, however near it is; what could do no more is held against the most', () => {
  const plan = planModel({ spec, topology, models: { f0: model, f1: model }, host, recordBytes: 1000 });
  const most = simulate(plan, allocation, { arrivals: backlog(3000), seed: 1, openExecutions: 'fed' }).throughput;
  for (const share of [0.72, 0.76, 0.8, 0.9, 1.5]) {
    const found = fitPipeline(measured(1, share * most));
    if (!('fitted' in found)) throw new Error(`${share}: ${JSON.stringify(found)}`);
    expect(found.fitted.saturated).toBe(true);
    expect(Math.abs(found.fitted.error.throughput)).toBeLessThan(0.1);
  }
  // It did less than three quarters of what the twin says, and records waited: the twin is wrong.
  const overloaded = measured(1, 1.5 * most);
  const { running } = overloaded;
  const slower = { ...running, measured: { ...running.measured, throughput: 0.72 * most } };
  expect(fitPipeline({ ...overloaded, running: slower })).toMatchObject({
    refused: 'UNFIT',
    reasons: [expect.stringContaining('throughput')],
  });
});
