import type { VersionAllocation, WhatIf } from '@autoflow/client';
import { type Command, InvalidArgumentError } from 'commander';
import { withContext } from '../context.js';
import { CliError, usage } from '../errors.js';
import { ms, percent, rate, usd } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface WhatIfOptions {
  readonly rate: string;
  readonly version?: string;
  readonly since: string;
  readonly cores?: number;
  readonly stage: readonly StageOption[];
}

interface StageOption {
  readonly stage: string;
  readonly memoryMb: number;
  readonly concurrency: number;
}

export function registerWhatIf(program: Command): void {
  program
    .command('what-if <pipeline>')
    .description('what a version would do at another rate or with another allocation, simulated from what was measured')
    .option('--rate <rate>', 'records per second, or a multiple of what arrives now, such as x4', 'x1')
    .option('--stage <name=MBxN>', 'a stage with other memory and instances, such as score-fraud=512x4; repeatable', stageOption, [])
    .option('--version <version>', 'default: the stable one')
    .option('--since <span>', 'learn from the measurements of so long', '24h')
    .option('--cores <n>', 'of the host that runs the functions; default: those of the control plane’s', positive)
    .action(
      withContext<WhatIfOptions>(async ({ out, client }, { rate: wanted, stage: changes, ...options }, pipeline = '') => {
        const question = { ...rateOf(wanted), ...options };
        const api = await client();
        const allocated = changes.length === 0 ? {} : changed(pipeline, await api.allocations.show(pipeline, options.version), changes);
        const found = await api.pipelines.whatIf(pipeline, { ...question, ...allocated });
        out.answer(found, () => whatIfText(found));
      }),
    );
}

export function stageOption(text: string, before: readonly StageOption[]): StageOption[] {
  const [, stage, memoryMb, concurrency] = /^([^=]+)=([1-9]\d*)x([1-9]\d*)$/.exec(text) ?? [];
  if (stage === undefined)
    throw new InvalidArgumentError('It is a stage, its MB per instance and its instances, such as score-fraud=512x4.');
  if (before.some((one) => one.stage === stage)) throw new InvalidArgumentError(`${stage} is given twice.`);
  return [...before, { stage, memoryMb: Number(memoryMb), concurrency: Number(concurrency) }];
}

/** The version's own allocation but for these stages; the API holds it against the envelope. */
export function changed(
  pipeline: string,
  { version, stages }: Pick<VersionAllocation, 'version' | 'stages'>,
  changes: readonly StageOption[],
): Pick<VersionAllocation, 'version' | 'stages'> {
  const unknown = changes.find(({ stage }) => !Object.hasOwn(stages, stage));
  if (unknown)
    throw new CliError(
      'STAGE_UNKNOWN',
      `${pipeline} ${version} has no stage ${unknown.stage}; its stages are ${Object.keys(stages).join(', ')}.`,
    );
  return {
    version,
    stages: { ...stages, ...Object.fromEntries(changes.map(({ stage, ...allocation }) => [stage, allocation])) },
  };
}

export function rateOf(text: string): { readonly times: number } | { readonly ratePerSecond: number } {
  const [, times, number] = /^(x?)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0)
    throw usage(`--rate ${text} is no rate; give records per second, such as 50, or a multiple, such as x4.`);
  return times === 'x' ? { times: Number(number) } : { ratePerSecond: Number(number) };
}

export function whatIfText({ pipeline, version, ratePerSecond, predicted, running, error, notes }: WhatIf): string {
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
