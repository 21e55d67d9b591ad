import { dollars, milliseconds, percent, perSecond, ratioOf, times, whole } from './figures.js';
import type { DemoRun } from './report.js';

interface Figure {
  readonly name: string;
  readonly of: (run: DemoRun) => number | undefined;
  readonly shown: (value: number | undefined) => string;
  /** Key in the report's ratios. */
  readonly key: string;
}

const FIGURES: readonly Figure[] = [
  { key: 'throughput', name: 'throughput', of: ({ metrics }) => metrics.throughput, shown: perSecond },
  { key: 'latencyMean', name: 'latency, mean', of: ({ metrics }) => metrics.latency.mean, shown: milliseconds },
  { key: 'latencyP50', name: '         p50', of: ({ metrics }) => metrics.latency.p50, shown: milliseconds },
  { key: 'latencyP95', name: '         p95', of: ({ metrics }) => metrics.latency.p95, shown: milliseconds },
  { key: 'latencyP99', name: '         p99', of: ({ metrics }) => metrics.latency.p99, shown: milliseconds },
  { key: 'costPer1000', name: 'cost of 1,000 records', of: ({ metrics }) => metrics.costPer1000?.all, shown: dollars },
  {
    key: 'costPer1000WithoutActions',
    name: '  without Temporal actions',
    of: ({ metrics }) => metrics.costPer1000?.withoutActions,
    shown: dollars,
  },
  { key: 'busy', name: 'instances busy', of: ({ metrics }) => metrics.utilisation?.instances, shown: percent },
  { key: 'memoryUsed', name: 'memory used', of: ({ metrics }) => metrics.utilisation?.memory, shown: percent },
];

/** After ÷ before, for each figure that both have. */
export function ratiosOf(before: DemoRun, after: DemoRun): Record<string, number | undefined> {
  return Object.fromEntries(FIGURES.map(({ key, of }) => [key, ratioOf(of(before), of(after))]));
}

/** Rows of the table: what, before, after, how they compare. */
export function comparison(before: DemoRun, after: DemoRun): string[][] {
  const outcomes = ({ counts }: DemoRun) => `${whole(counts.completed)} + ${whole(counts.filtered)} + ${whole(counts.dead)}`;
  return [
    ['', before.version, after.version, `${after.version} to ${before.version}`],
    ['stages', ...[before, after].map(({ topology }) => String(topology.stages.length)), ''],
    ['records in an execution', ...[before, after].map(({ load }) => whole(load.recordsPerExecution)), ''],
    ...FIGURES.map(({ name, of, shown }) => [name, shown(of(before)), shown(of(after)), times(of(before), of(after))]),
    ['completed + filtered + dead', outcomes(before), outcomes(after), ''],
    ['rows in the sink', whole(before.sink.rows), whole(after.sink.rows), before.sink.digest === after.sink.digest ? 'equal' : 'DIFFERENT'],
    ['outcome digest', before.digest.slice(0, 12), after.digest.slice(0, 12), before.digest === after.digest ? 'equal' : 'DIFFERENT'],
  ];
}
