import { setTimeout } from 'node:timers/promises';
import type { AutoFlowClient, ChangeSettings, Optimization, OptimizationDetail, OptimizationQuestion } from '@autoflow/client';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { type Context, withContext } from '../context.js';
import { BadAnswerError, usage } from '../errors.js';
import { optimizationText } from '../optimizations/text.js';
import { changed, settingsText } from './autonomy.js';
import { positive } from './backfill.js';
import { rateOf } from './what-if.js';

interface OptimizeOptions {
  readonly dryRun?: true;
  readonly wait?: true;
  readonly version?: string;
  readonly minimise?: 'cost' | 'latency';
  readonly p95?: number;
  readonly p99?: number;
  readonly rate?: string;
  readonly rolloutRate?: number;
  readonly budget?: number;
  readonly seconds?: number;
  readonly budgetUsd?: number;
  readonly proposers?: NonNullable<OptimizationQuestion['proposers']>;
  readonly scope?: string;
  readonly learners?: number | 'auto' | 'off';
  readonly steps: number;
  readonly algorithm?: 'a3c' | 'ppo';
  readonly trainingSeed?: number;
  readonly patience?: number;
  readonly every?: string;
  readonly reason?: string;
}

const POLL_MS = 500;

export function registerOptimize(program: Command): void {
  program
    .command('optimize <pipeline>')
    .description('search for a better topology than the stable one, and register it with certificate and prediction')
    .option('--dry-run', 'propose only: nothing is registered; waits')
    .option('--version <version>', 'what is to be bettered (default: the stable version)')
    .option('--wait', 'show how far it is, and what came of it')
    .addOption(new Option('--minimise <what>', 'what shall be least (default: the objective of the pipeline)').choices(['cost', 'latency']))
    .option('--p95 <time>', 'limit of the latency, such as 800ms or 1s', time)
    .option('--p99 <time>', 'limit of the latency, such as 800ms or 1s', time)
    .option('--rate <rate>', 'records per second, such as 50/s, or a multiple of what was measured, such as x2')
    .option(
      '--rollout-rate <n>',
      'records per second that arrive while it is rolled out, when p95 may be no later (default: as measured)',
      rateInRollout,
    )
    .option('--budget <n>', 'plans that are simulated, by all proposers together (default: 2000)', positive)
    .option('--seconds <n>', 'of the search (default: 45)', positive)
    .option('--budget-usd <dollars>', 'what its own computing may cost at list prices, learners included', dollars)
    .option('--proposers <names>', 'some of exhaustive, analytic, beam, annealing, greedy, random, gcn', (text: string) => text.split(','))
    .option('--scope <scope>', 'hold the simulator against what the stable version did with the records of this scope')
    .option(
      '--learners <n>',
      'train the resource agent beside it with so many learners (workers with the role learner); with --every also auto (the default: one for each such worker) or off',
      learnersOf,
    )
    .option('--steps <n>', 'decisions of the learners together', positive, 50_000)
    .addOption(new Option('--algorithm <name>', 'how they learn (default: a3c)').choices(['a3c', 'ppo']))
    .option('--training-seed <n>', 'of their first parameters and of what they learn from (default: 1)', seed)
    .option('--patience <n>', 'validations without a better one, after which they end early; there are ten (default: 4)', positive)
    .option('--every <span>', 'do so again and again, such as 1h; off: no longer')
    .option('--reason <text>', 'for the audit log; needed with --every')
    .action(
      withContext<OptimizeOptions>(async (context, options, pipeline = '') => {
        const { out, client } = context;
        const api = await client();
        if (options.every !== undefined) {
          const optimizeEvery = options.every === 'off' ? null : options.every;
          const settings = await changed(api, pipeline, { optimizeEvery, ...ownTrainingOf(options) }, options.reason);
          return out.answer(settings, () => settingsText(settings));
        }
        const begun = await api.optimizations.start(pipeline, questionOf(options));
        if (!options.wait && !options.dryRun)
          return out.answer(begun, () => `${begun.id} has begun; what comes of it: autoflow optimizations show ${pipeline} ${begun.id}`);
        const ended = await ending(api, begun, context);
        out.answer(ended, () => optimizationText(ended));
        if (ended.state !== 'completed')
          throw new BadAnswerError('OPTIMIZATION_ENDED', `It is ${ended.state}: ${ended.reason ?? 'no reason was given'}`);
      }),
    );
}

/** Shows every decision as it falls. */
async function ending(api: AutoFlowClient, { pipeline, id }: Optimization, { out }: Context): Promise<OptimizationDetail> {
  let [shown, doing] = [0, ''];
  for (;;) {
    const now = await api.optimizations.show(pipeline, id);
    for (const { step, reason } of now.decisions.slice(shown)) out.note(`${step}: ${reason}`);
    shown = now.decisions.length;
    if (now.state !== 'running') return now;
    const { step, about, done, of } = now.progress ?? {};
    const next = step === undefined ? '' : about === undefined ? `${step} …` : `${step}: ${about} (${(done ?? 0) + 1} of ${of})`;
    if (next !== doing) out.note(next);
    doing = next;
    await setTimeout(POLL_MS);
  }
}

function ownTrainingOf(options: OptimizeOptions): Pick<ChangeSettings, 'optimizeTraining'> {
  const { learners } = options;
  const training = trainingOf(options);
  if (learners === undefined) return {};
  return { optimizeTraining: typeof learners === 'number' ? training! : learners };
}

/** Undefined: no number of learners is given. */
function trainingOf({ learners, steps, algorithm, trainingSeed, patience }: OptimizeOptions): OptimizationQuestion['training'] {
  if (typeof learners === 'number')
    return {
      learners,
      budget: { steps },
      ...(algorithm !== undefined && { algorithm }),
      ...(trainingSeed !== undefined && { seed: trainingSeed }),
      ...(patience !== undefined && { patience }),
    };
  if (algorithm !== undefined || trainingSeed !== undefined || patience !== undefined)
    throw usage('--algorithm, --training-seed and --patience are of learners: give --learners and their number as well.');
  return undefined;
}

function questionOf(options: OptimizeOptions): OptimizationQuestion {
  if (options.learners === 'auto') throw usage('--learners auto is for what is done again and again: give --every as well, or a number.');
  const { dryRun = false, version, minimise, p95, p99, rate: wanted, rolloutRate } = options;
  const { budget, seconds, budgetUsd, proposers, scope, reason } = options;
  const training = trainingOf(options);
  return {
    dryRun,
    ...(version !== undefined && { version }),
    ...(minimise !== undefined && { minimise }),
    ...(budget !== undefined && { evaluations: budget }),
    ...(seconds !== undefined && { seconds }),
    ...(budgetUsd !== undefined && { usd: budgetUsd }),
    ...(p95 !== undefined && { p95Ms: p95 }),
    ...(p99 !== undefined && { p99Ms: p99 }),
    ...(wanted !== undefined && rateOf(wanted.replace(/\/s$/, ''))),
    ...(rolloutRate !== undefined && { rollout: { ratePerSecond: rolloutRate } }),
    ...(proposers && { proposers }),
    ...(scope !== undefined && { scope }),
    ...(training && { training }),
    ...(reason !== undefined && { reason }),
  };
}

function learnersOf(text: string): number | 'auto' | 'off' {
  return text === 'auto' || text === 'off' ? text : positive(text);
}

function seed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 0 to 999999999.');
  return Number(text);
}

function rateInRollout(text: string): number {
  const rate = Number(text.replace(/\/s$/, ''));
  if (!(rate > 0)) throw new InvalidArgumentError('It is a number of records per second, such as 8 or 0.5.');
  return rate;
}

function dollars(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('It is a number of US dollars, such as 0.05.');
  return Number(text);
}

function time(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('It is a time, such as 800ms or 1s.');
  return Number(number) * (unit === 's' ? 1000 : 1);
}
