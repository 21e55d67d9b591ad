import { asWritten, defaultAllocation, defaultEnvelope, MEMORY_SIZES_MB, validateAllocation, validateTopology } from '@autoflow/topology';
import { constant, functionModel, LOCAL_HOST, planModel, rateTrace, simulate } from '@autoflow/twin';
import { expect, it } from 'vitest';
import { parcelsSpec as spec } from '../../optimization/parcels.js';
import { bestStatic } from './best-static.js';

const topology = asWritten(spec);
const allocation = defaultAllocation(spec, topology, defaultEnvelope(spec, topology));
const models = Object.fromEntries(
  spec.nodes.map(({ id }) => [id, functionModel({ cpuFixedMs: 2, cpuPerRecordMs: 1, ioFixedMs: 10, ioPerRecordMs: 1, memoryMb: 20, memoryPerRecordMb: 0.1, cv: 0.3, selectivity: 1 })]), // prettier-ignore
);
const host = { ...LOCAL_HOST, cores: 4 };
const trace = rateTrace('steps', [...constant(5, 20_000), ...constant(40, 10_000)], 'poisson');

it('finds a legal plan that is cheaper on the trace than the one as written, within the limits', async () => {
  const problem = { spec, start: { topology, allocation }, models, host, recordBytes: 500, limits: { memoryMb: MEMORY_SIZES_MB, instances: 32 }, seed: 1 }; // prettier-ignore
  const found = await bestStatic(problem, { minimise: 'cost', p95Ms: 600, p99Ms: 2000 }, trace, 2, 40);
  const model = planModel({ spec, topology, models, host, recordBytes: 500 });
  const written = simulate(model, allocation, { arrivals: Float64Array.from(trace.arrivals(1)), seed: 1 });
  expect(found.predicted.costPer1000.all).toBeLessThan(0.7 * written.costPer1000.all);
  expect(found.predicted.latencyMs.p95).toBeLessThanOrEqual(600);
  expect(validateTopology(spec, found.topology)).toEqual([]);
  expect(validateAllocation(spec, found.topology, defaultEnvelope(spec, found.topology), found.allocation)).toEqual([]);
  expect(found.evaluations).toBeLessThanOrEqual(50);
});
