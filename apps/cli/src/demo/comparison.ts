import { ms, percent, rate, usd } from '../format.js';
import { ratioOf, shown, times, whole } from './figures.js';
import type { DemoRun } from './report.js';

interface Figure {
  readonly name: string;
  readonly of: (run: DemoRun) => number | undefined;
  readonly format: (value: number) => string;
  /** Key in the report's ratios. */
  readonly key: string;
}

const FIGURES: readonly Figure[] = [
  { key: 'throughput', name: 'throughput, records/s', of: ({ metrics }) => metrics.throughput, format: rate },
  { key: 'latencyMean', name: 'latency, mean', of: ({ metrics }) => metrics.latency.mean, format: ms },
  { key: 'latencyP50', name: '         p50', of: ({ metrics }) => metrics.latency.p50, format: ms },
  { key: 'latencyP95', name: '         p95', of: ({ metrics }) => metrics.latency.p95, format: ms },
  { key: 'latencyP99', name: '         p99', of: ({ metrics }) => metrics.latency.p99, format: ms },
  { key: 'costPer1000', name: 'cost of 1,000 records', of: ({ metrics }) => metrics.costPer1000?.all, format: usd },
  {
    key: 'costPer1000WithoutActions',
    name: '  without Temporal actions',
    of: ({ metrics }) => metrics.costPer1000?.withoutActions,
    format: usd,
  },
  { key: 'instancesBusy', name: 'instances busy', of: ({ metrics }) => metrics.utilisation?.instances, format: percent },
  { key: 'memoryUsed', name: 'memory used', of: ({ metrics }) => metrics.utilisation?.memory, format: percent },
];

/** After ÷ before, for each figure that both have. */
export function ratiosOf(before: DemoRun, after: DemoRun): Record<string, number | undefined> {
  return Object.fromEntries(FIGURES.map(({ key, of }) => [key, ratioOf(of(before), of(after))]));
}

/** Rows of the table: what, before, after, how they compare. */
export function comparison(before: DemoRun, after: DemoRun): string[][] {
  const both = (of: (run: DemoRun) => string) => [of(before), of(after)];
  const verdict = (of: (run: DemoRun) => string) => (of(before) === of(after) ? 'equal' : 'DIFFERENT');
  return [
    ['', ...both(({ version }) => version), 'ratio'],
    ['stages', ...both(({ topology }) => String(topology.stages.length)), ''],
    ['records in an execution, at most', ...both(({ load }) => whole(load.recordsPerExecution)), ''],
    ['executions open at once', ...both(({ load }) => whole(load.openExecutions)), ''],
    ['invoices measured', ...both(({ measured }) => whole(measured.invoices)), ''],
    ...FIGURES.map(({ name, of, format }) => [name, ...both((run) => shown(format, of(run))), times(of(before), of(after))]),
    [
      'compared: completed + filtered + dead',
      ...both(({ counts }) => [counts.completed, counts.filtered, counts.dead].map(whole).join(' + ')),
      '',
    ],
    ['  digest of their outcomes', ...both(({ digest }) => digest.slice(0, 12)), verdict(({ digest }) => digest)],
    ['  orders in the database', ...both(({ sink }) => whole(sink.rows)), verdict(({ sink }) => sink.digest)],
  ];
}
