import type { AutoFlowClient, ChangeSettings, OperationSettings } from '@autoflow/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { when } from '../format.js';

interface AutonomyOptions {
  readonly freeze?: readonly string[];
  readonly thaw?: true;
  readonly timeZone: string;
  readonly minimise?: 'cost' | 'latency';
  readonly p99?: number;
  readonly spendCap?: number | null;
  readonly approvalDays?: number;
  readonly reason?: string;
}

const LEVELS = ['off', 'suggest', 'canary', 'auto'] as const;

export function registerAutonomy(program: Command): void {
  program
    .command('autonomy <pipeline> [level]')
    .description('how far AutoFlow may go by itself: off, suggest, canary or auto; without anything to change, what holds')
    .option('--freeze <window>', 'it changes nothing meanwhile, such as "Fri 16:00 - Mon 08:00"; may be given again', several)
    .option('--thaw', 'no freezes any more')
    .option('--time-zone <name>', 'of the freezes', 'UTC')
    .addOption(new Option('--minimise <what>', 'what proposals are made for').choices(['cost', 'latency']))
    .option('--p99 <span>', 'service level, such as 500ms or 1s', milliseconds)
    .option('--spend-cap <usd>', 'what canaries of 30 days may cost beyond what they are compared with; none: no cap', dollars)
    .option('--approval-days <days>', 'so long a canary that is proved waits for you to promote it (default: 7)', days)
    .option('--reason <text>', 'for the audit log; needed to change something')
    .action(
      withContext<AutonomyOptions>(async ({ out, client }, options, pipeline = '', level) => {
        const change = changeOf(options, level);
        const api = await client();
        const settings =
          Object.keys(change).length === 0 ? await api.settings.show(pipeline) : await changed(api, pipeline, change, options.reason);
        out.answer(settings, () => settingsText(settings));
      }),
    );
}

/** Also of `versions pin` and `unpin`. With the revision that was read: somebody who was faster is not overruled. */
export async function changed(
  api: AutoFlowClient,
  pipeline: string,
  change: Omit<ChangeSettings, 'reason'>,
  reason: string | undefined,
): Promise<OperationSettings> {
  if (reason === undefined) throw usage('Changing this needs --reason.');
  const { revision } = await api.settings.show(pipeline);
  return api.settings.change(pipeline, { ...change, reason }, revision);
}

function changeOf(
  { freeze, thaw, timeZone, minimise, p99, spendCap, approvalDays }: AutonomyOptions,
  level: string | undefined,
): Omit<ChangeSettings, 'reason'> {
  const autonomy = LEVELS.find((known) => known === level);
  if (level !== undefined && autonomy === undefined) throw usage(`Autonomy is one of ${LEVELS.join(', ')}, not ${level}.`);
  if (freeze !== undefined && thaw) throw usage('Give --freeze or --thaw, not both.');
  if (p99 !== undefined && minimise === undefined) throw usage('--p99 is part of an objective: give --minimise as well.');
  return {
    ...(autonomy !== undefined && { autonomy }),
    ...(thaw && { freezes: [] }),
    ...(freeze !== undefined && { freezes: freeze.map((window) => ({ window, timeZone })) }),
    ...(minimise !== undefined && { objective: { minimise, ...(p99 !== undefined && { p99Ms: p99 }) } }),
    ...(spendCap !== undefined && { spendCapUsd: spendCap }),
    ...(approvalDays !== undefined && { approvalDays }),
  };
}

export function settingsText({
  pipeline,
  autonomy,
  freezes,
  frozen,
  pinned,
  objective,
  optimizeEvery,
  optimizeTraining,
  spendCapUsd,
  approvalDays,
  control,
  revision,
  actor,
  reason,
}: OperationSettings): string {
  return [
    `${pipeline} ${autonomy}${actor === undefined ? ' (the default)' : ` · revision ${revision} by ${actor}: ${reason}`}`,
    ...(frozen === undefined
      ? []
      : [`frozen until ${when(frozen.until)} UTC (${frozen.window} ${frozen.timeZone}); changes by hand remain possible`]),
    ...freezes.map(({ window, timeZone }) => `freeze     ${window} ${timeZone}`),
    ...(pinned === undefined ? [] : [`pinned     ${pinned}`]),
    ...(objective === undefined
      ? []
      : [`objective  least ${objective.minimise}${objective.p99Ms === undefined ? '' : `, p99 ≤ ${objective.p99Ms} ms`}`]),
    ...(optimizeEvery === undefined ? [] : [`optimized  every ${optimizeEvery}`]),
    ...(optimizeEvery === undefined && optimizeTraining === 'auto' ? [] : [`learners   ${trainingText(optimizeTraining)}`]),
    ...(spendCapUsd === undefined ? [] : [`spend cap  $${spendCapUsd}`]),
    ...(approvalDays === undefined ? [] : [`approval   within ${approvalDays} days`]),
    ...(control === undefined ? [] : [`control    ${control.mode}`]),
  ].join('\n');
}

function trainingText(training: OperationSettings['optimizeTraining']): string {
  if (training === 'auto') return 'one for each worker with the role learner';
  if (training === 'off') return 'none';
  const { learners, budget, algorithm, seed, patience } = training;
  return [
    `${learners}, ${budget.steps} decisions${budget.seconds === undefined ? '' : ` or ${budget.seconds} s`}`,
    ...(algorithm === undefined ? [] : [algorithm]),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(patience === undefined ? [] : [`patience ${patience}`]),
  ].join(', ');
}

function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

export function milliseconds(text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  if (value === undefined || Number(value) === 0) throw new InvalidArgumentError('It is a time such as 500ms or 1s.');
  return Number(value) * (unit === 's' ? 1000 : 1);
}

function days(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 365)) throw new InvalidArgumentError('It is a number of days, up to 365.');
  return value;
}

function dollars(text: string): number | null {
  if (text === 'none') return null;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It is an amount in US dollars, or none.');
  return value;
}
