import { expect, it } from 'vitest';
import { poissonArrivals } from '../arrivals.js';
import { functionModel } from '../model/function-model.js';
import { LOCAL_HOST } from '../model/host-model.js';
import { planModel, type PlanInput } from '../model/plan-model.js';
import { meteredRows } from '../testing/metered-rows.js';
import { allocationOf, chainSpec, topologyOf } from '../testing/plans.js';
import { driftOf } from './drift.js';
import type { MeteredInvocation } from './rows.js';

/** Of some hundred executions, every twentieth a probe; the later two fifths as `changed` says. */
function rowsOf(seed: number, changed: (row: MeteredInvocation) => MeteredInvocation = (row) => row): MeteredInvocation[] {
  const models = {
    parse: functionModel({ cpuFixedMs: 6, cpuPerRecordMs: 1.2, cv: 0.3 }),
    check: functionModel({ cpuPerRecordMs: 2, cv: 0.3 }),
  };
  const topology = topologyOf([{ functions: ['parse'] }, { functions: ['check'], after: ['parse'] }], 8, 100);
  const input: PlanInput = { spec: chainSpec(Object.keys(models)), topology, models, host: { ...LOCAL_HOST, cores: 8 }, recordBytes: 500 };
  const rows = meteredRows(input, allocationOf(planModel(input), 8, 1024), {
    arrivals: poissonArrivals(40, 2_400, seed),
    seed,
    probes: 0.05,
  });
  const executions = [...new Set(rows.map(({ executionId }) => executionId))];
  const later = new Set(executions.slice(0.6 * executions.length));
  return rows.map((row) => (later.has(row.executionId) ? changed(row) : row));
}

it('finds nothing where nothing has changed', () => {
  for (let seed = 1; seed <= 12; seed++) expect(driftOf(rowsOf(seed))).toEqual([]);
});

it('names the function that came to take longer, and by how much', () => {
  const slower = rowsOf(1, (row) =>
    row.stage !== 'check'
      ? row
      : {
          ...row,
          spans: row.spans.map((span) => ({ ...span, cpuMs: 1.8 * span.cpuMs, wallMs: 1.8 * span.wallMs })),
          durationMs: 1.8 * row.durationMs,
          cpuMs: 1.8 * row.cpuMs,
        },
  );
  const [drift, ...others] = driftOf(slower);
  expect(others).toEqual([]);
  expect(drift).toMatchObject({ function: 'check', message: expect.stringContaining("'check' takes 1.") });
  expect(drift!.ratio).toBeGreaterThan(1.5);
});

it('tells of records that came to be larger', () => {
  expect(driftOf(rowsOf(1, (row) => ({ ...row, bytesIn: 3 * row.bytesIn })))).toEqual([
    { ratio: expect.closeTo(3, 0), message: expect.stringMatching(/^Records have \d\.\d\d times their former size/) },
  ]);
});
