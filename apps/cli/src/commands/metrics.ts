import type { Metrics } from '@autoflow/client';
import { type Command, Option } from 'commander';
import { withContext } from '../context.js';
import { ms, percent, rate, usd } from '../format.js';
import { table } from '../output.js';

interface MetricsOptions {
  readonly by: 'version' | 'stage' | 'function';
  readonly since: string;
  readonly version?: string;
  readonly scope?: string;
}

export function registerMetrics(program: Command): void {
  program
    .command('metrics <pipeline>')
    .description('throughput, latency, errors, cost and utilisation')
    .addOption(new Option('--by <what>').choices(['version', 'stage', 'function']).default('version'))
    .option('--since <span>', 'such as 15m, 1h, 7d', '1h')
    .option('--version <version>', 'this one only')
    .option('--scope <name>', 'this one only')
    .action(
      withContext<MetricsOptions>(async ({ out, client }, options, pipeline = '') => {
        const report = await (await client()).pipelines.metrics(pipeline, options);
        out.answer(report, () =>
          table(
            ['VERSION', ...(options.by === 'version' ? [] : [options.by.toUpperCase()]), ...HEAD],
            report.rows.map((row) => [row.version, ...(options.by === 'version' ? [] : [row[options.by] ?? '']), ...figures(row)]),
            `Nothing of ${pipeline} was measured in the last ${options.since}.`,
          ),
        );
      }),
    );
}

const HEAD = ['RECORDS', 'INVOC.', 'REC/S', 'MEAN', 'P50', 'P95', 'P99', 'ERRORS', '$/1K', 'W/O ACTIONS', 'BUSY', 'MEMORY'];

function figures({ records, invocations, throughput, latency, errorRate, costPer1000, utilisation }: Metrics): (string | number)[] {
  const { mean, p50, p95, p99 } = latency;
  const cost = [usd(costPer1000?.all), usd(costPer1000?.withoutActions)];
  return [
    records,
    invocations,
    rate(throughput),
    ms(mean),
    ms(p50),
    ms(p95),
    ms(p99),
    percent(errorRate),
    ...cost,
    percent(utilisation?.instances),
    percent(utilisation?.memory),
  ];
}
