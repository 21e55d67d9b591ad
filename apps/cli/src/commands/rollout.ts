import { type Command, InvalidArgumentError } from 'commander';
import type { AutoFlowClient, NewRollout, Rollout, RolloutDetail } from '@autoflow/client';
import { withContext } from '../context.js';
import { CliError } from '../errors.js';
import { when } from '../format.js';
import { table, type Output } from '../output.js';
import { everyPage } from './pages.js';

interface Options {
  readonly steps?: number[];
  readonly period?: number;
  readonly warmup?: number;
  readonly maximum?: number;
  readonly holdout?: number;
  readonly metric?: 'cost' | 'latency';
  readonly records?: number;
  readonly margin?: Margins;
  readonly skipShadow?: true;
  readonly watch?: true;
  readonly reason?: string;
}
type Margins = NonNullable<NewRollout['margins']>;

const LOOK_MS = 1_000;

export function registerRollout(program: Command): void {
  const rollout = program
    .command('rollout')
    .description('lead traffic to a version step by step; it is promoted or rolled back on what it shows');
  rollout
    .command('start <pipeline> <version>', { isDefault: true })
    .description('shadow, warm pools, canary; one at a time per pipeline')
    .option('--steps <percents>', 'of the traffic outside the holdout (default 5,25,50,100)', percents)
    .option('--period <span>', 'between two evaluations (default 1m)', span)
    .option('--warmup <span>', 'after each step, not compared (default: half a period)', span)
    .option('--maximum <span>', 'then it ends as not decided, and its traffic is taken back (default 1d)', span)
    .option('--holdout <percent>', 'stays on the version before (default 5)', Number)
    .option('--metric <metric>', 'cost or latency: what has to become less (default: the objective of the pipeline)')
    .option('--records <n>', 'at least so many at each step (default 200)', Number)
    .option(
      '--margin <guardrail=share>',
      'such as p99=0.5; of dead, errors, p95, p99, cost; p95=off and p99=off are no guardrails; may be repeated',
      margin,
    )
    .option('--skip-shadow', 'nothing is replayed before: you are certain of the outputs')
    .option('--watch', 'until it has ended')
    .option('--reason <text>', 'for the audit log')
    .action(
      withContext<Options>(async ({ out, client }, { watch, ...options }, pipeline = '', version = '') => {
        const api = await client();
        const begun = await api.rollouts.start(pipeline, requestOf(version, options));
        if (!watch)
          return out.answer(
            begun,
            () => `${begun.id}: ${pipeline} ${version} against ${begun.baseline}; autoflow rollout show ${pipeline}`,
          );
        const ended = await untilEnded(api, begun, out);
        out.answer(ended, () => summary(ended));
        if (ended.state !== 'promoted') throw new CliError('NOT_PROMOTED', `${version} was not promoted: ${ended.outcome}.`);
      }),
    );
  rollout
    .command('list <pipeline>')
    .description('newest first')
    .action(
      withContext(async ({ out, client }, _, pipeline = '') => {
        const { rollouts } = await client();
        const items = await everyPage((page) => rollouts.list(pipeline, page));
        const rows = items.map((row) => [
          row.id,
          row.version,
          row.baseline,
          row.state,
          row.own ? 'AutoFlow' : row.actor,
          when(row.createdAt),
          row.outcome ?? '',
        ]);
        out.answer(items, () => table(['ROLLOUT', 'VERSION', 'AGAINST', 'STATE', 'BY', 'SINCE', 'OUTCOME'], rows, 'No rollouts yet.'));
      }),
    );
  rollout
    .command('show <pipeline> [rollout]')
    .description('where it stands and what it has shown (default: the newest)')
    .action(
      withContext(async ({ out, client }, _, pipeline = '', id?: string) => {
        const api = await client();
        const found = await api.rollouts.show(pipeline, id ?? (await newest(api, pipeline)).id);
        out.answer(found, () => summary(found));
      }),
    );
  for (const [action, description] of ACTIONS)
    rollout
      .command(`${action} <pipeline> [rollout]`)
      .description(description)
      .option('--reason <text>', 'for the audit log')
      .action(
        withContext<{ reason?: string }>(async ({ out, client }, { reason }, pipeline = '', id?: string) => {
          const api = await client();
          const row = await api.rollouts[action](pipeline, id ?? (await newest(api, pipeline)).id, reason);
          out.answer(row, () => line(row));
        }),
      );
}

const ACTIONS = [
  ['pause', 'keep its present shares; harm still takes it back'],
  ['resume', 'let it go on'],
  ['abort', 'take its traffic back and end it'],
  ['promote', 'make the candidate stable now, whatever is shown so far'],
] as const;

function requestOf(
  version: string,
  { steps, period, warmup, maximum, holdout, metric, records, margin: margins, skipShadow, reason }: Options,
): NewRollout {
  return {
    version,
    ...(steps && { steps }),
    ...(period !== undefined && { periodMs: period }),
    ...(warmup !== undefined && { warmupMs: warmup }),
    ...(maximum !== undefined && { maximumMs: maximum }),
    ...(holdout !== undefined && { holdoutPercent: holdout }),
    ...(metric && { metric }),
    ...(records !== undefined && { minimumRecords: records }),
    ...(margins && { margins }),
    ...(skipShadow && { skipShadow }),
    ...(reason !== undefined && { reason }),
  };
}

async function newest(api: AutoFlowClient, pipeline: string): Promise<Rollout> {
  const [row] = (await api.rollouts.list(pipeline, { limit: 1 })).items;
  if (row === undefined)
    throw new CliError('ROLLOUT_UNKNOWN', `${pipeline} has no rollout yet. Start one (autoflow rollout ${pipeline} VERSION).`);
  return row;
}

async function untilEnded(api: AutoFlowClient, { pipeline, id }: Rollout, out: Output): Promise<RolloutDetail> {
  for (let told = ''; ;) {
    const row = await api.rollouts.show(pipeline, id);
    const now = line(row);
    if (now !== told) out.note(now);
    told = now;
    if (row.endedAt !== undefined) return row;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** `shadow 500/500 equal · 5 % ✓ · 25 %: 80 of 200 records at this step`. */
function line(row: Rollout | RolloutDetail): string {
  const { shadow, steps, state, outcome } = row;
  const parts = [
    ...(shadow ? [`shadow ${shadow.compared - shadow.different}/${shadow.compared} equal`] : []),
    ...steps.map(({ percent, to }) => (to === undefined ? `${percent} %` : `${percent} % ✓`)),
  ];
  const latest = 'evaluations' in row ? row.evaluations[0]?.reason : undefined;
  const tail =
    row.endedAt !== undefined ? `${state}: ${outcome}` : row.paused ? 'paused' : steps.length === 0 ? state : (latest ?? 'warming up');
  return [...parts, tail].join(' · ');
}

function summary(row: RolloutDetail): string {
  const shown = row.judgement?.paired ?? row.judgement?.full;
  const guardrails = (shown?.guardrails ?? []).map(({ name, state, estimate, low, high }) => [
    name,
    state,
    points(estimate),
    points(low),
    points(high),
  ]);
  return [
    `${row.id}  ${row.version} against ${row.baseline}`,
    line(row),
    ...(shown?.gain
      ? [`gain in ${row.settings.metric}: ${points(shown.gain.estimate)} % [${points(shown.gain.low)}, ${points(shown.gain.high)}]`]
      : []),
    ...(shown?.detectable !== undefined ? [`a gain of ${points(shown.detectable)} % would be found by now`] : []),
    ...(row.harm
      ? [
          `the candidate ran ${row.harm.records} records (${points(row.harm.share)} % of all); ${row.harm.dead} died; it cost $${row.harm.costUsd.toPrecision(3)}`,
        ]
      : []),
    ...(guardrails.length > 0 ? [table(['GUARDRAIL', 'STATE', 'POINTS', 'FROM', 'TO'], guardrails, '')] : []),
  ].join('\n');
}

const points = (share: number | null): string => (share === null ? '?' : (100 * share).toFixed(1));

function percents(text: string): number[] {
  const steps = text.split(',').map(Number);
  if (steps.some((step) => !(step > 0 && step <= 100))) throw new InvalidArgumentError('They are percentages such as 5,25,50,100.');
  return steps;
}

function span(text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (value === undefined) throw new InvalidArgumentError('It is a span of time such as 30s, 5m or 1h.');
  return Math.round(Number(value) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's']);
}

function margin(text: string, before: Margins = {}): Margins {
  const [, name, value] = /^(dead|errors|p95|p99|cost)=(\d+(?:\.\d+)?)$/.exec(text) ?? /^(p95|p99)=(off)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It is a guardrail and a share such as p99=0.5, dead=0.01 or p99=off.');
  return { ...before, [name]: value === 'off' ? null : Number(value) };
}
