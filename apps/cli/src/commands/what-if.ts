import type { WhatIf } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { ms, percent, rate, usd } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface WhatIfOptions {
  readonly rate: string;
  readonly version?: string;
  readonly since: string;
  readonly cores?: number;
}

export function registerWhatIf(program: Command): void {
  program
    .command('what-if <pipeline>')
    .description('what a version would do at another rate, simulated from what was measured')
    .requiredOption('--rate <rate>', 'records per second, or a multiple of what arrives now, such as x4')
    .option('--version <version>', 'default: the stable one')
    .option('--since <span>', 'learn from the measurements of so long', '24h')
    .option('--cores <n>', 'of the host that runs the functions; default: those of the control plane’s', positive)
    .action(
      withContext<WhatIfOptions>(async ({ out, client }, { rate: wanted, ...options }, pipeline = '') => {
        const question = { ...rateOf(wanted), ...options };
        const found = await (await client()).pipelines.whatIf(pipeline, question);
        out.answer(found, () => text(found));
      }),
    );
}

export function rateOf(text: string): { readonly times: number } | { readonly ratePerSecond: number } {
  const [, times, number] = /^(x?)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0)
    throw usage(`--rate ${text} is no rate; give records per second, such as 50, or a multiple, such as x4.`);
  return times === 'x' ? { times: Number(number) } : { ratePerSecond: Number(number) };
}

function text({ pipeline, version, ratePerSecond, predicted, running, error, notes }: WhatIf): string {
  const { measured } = running;
  const rows = [
    ['records/s', around(predicted.throughput, rate), rate(running.predicted.throughput.mean), rate(measured.throughput), error.throughput],
    ['p95', around(predicted.latencyMs.p95, ms), ms(running.predicted.latencyMs.p95.mean), ms(measured.latencyMs.p95), error.p95],
    [
      '$ per 1,000',
      around(predicted.costPer1000.all, usd),
      usd(running.predicted.costPer1000.all.mean),
      usd(measured.costPer1000?.all),
      error.costPer1000,
    ],
  ] as const;
  return [
    table(
      ['', `${version} AT ${rate(ratePerSecond)}/S`, `${running.version} NOW, SIMULATED`, 'MEASURED', 'ERROR OF THE TWIN'],
      rows.map(([name, ...cells]) => [name, ...cells.map((cell) => (typeof cell === 'string' ? cell : percent(cell)))]),
      `Nothing of ${pipeline} was measured.`,
    ),
    ...notes.map(({ message }) => `note: ${message}`),
  ].join('\n');
}

export function around(
  { mean, halfWidth }: { readonly mean: number; readonly halfWidth: number },
  format: (value: number) => string,
): string {
  return `${format(mean)} ± ${format(halfWidth)}`;
}
