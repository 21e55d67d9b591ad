import type { Optimization, OptimizationQuestion } from '@autoflow/client';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { ms, percent, rate, short, usd } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';
import { around, rateOf } from './what-if.js';

interface OptimizeOptions {
  readonly dryRun?: true;
  readonly minimise: 'cost' | 'latency';
  readonly p95?: number;
  readonly p99?: number;
  readonly rate?: string;
  readonly budget: number;
  readonly proposers?: NonNullable<OptimizationQuestion['proposers']>;
  readonly register?: true;
}

export function registerOptimize(program: Command): void {
  program
    .command('optimize <pipeline>')
    .description('search for a better topology than the stable one, with certificate and prediction')
    .option('--dry-run', 'propose only, which is all there is today')
    .addOption(new Option('--minimise <what>', 'what shall be least').choices(['cost', 'latency']).default('cost'))
    .option('--p95 <time>', 'limit of the latency, such as 800ms or 1s', time)
    .option('--p99 <time>', 'limit of the latency, such as 800ms or 1s', time)
    .option('--rate <rate>', 'records per second, such as 50/s, or a multiple of what arrives now, such as x2')
    .option('--budget <n>', 'plans that are simulated, by all proposers together', positive, 2000)
    .option('--proposers <names>', 'some of exhaustive, analytic, beam, annealing, greedy, random', (text: string) => text.split(','))
    .option('--register', 'register the proposal as a version, which a person may then make stable')
    .action(
      withContext<OptimizeOptions>(async ({ out, client }, options, pipeline = '') => {
        if (!options.dryRun && !options.register) throw usage('Nothing is rolled out from here yet; say --dry-run, or --register.');
        const api = await client();
        const found = await api.pipelines.optimize(pipeline, questionOf(options));
        const registered = options.register && found.proposal ? await register(found, found.proposal) : undefined;
        out.answer({ ...found, ...registered }, () =>
          [
            text(found),
            ...(registered ? [`\nregistered as ${registered.registered}; make it stable with autoflow versions stable`] : []),
          ].join('\n'),
        );

        async function register({ version: parent }: Optimization, proposal: NonNullable<Optimization['proposal']>) {
          const { topology, allocation, proposer, predicted } = proposal;
          const note = `optimizer (${proposer}): ${usd(predicted.costPer1000.all.mean)} per 1,000, p95 ${ms(predicted.latencyMs.p95.mean)} predicted`;
          const { version } = await api.versions.register(pipeline, { topology, allocation, parent, note });
          return { registered: version.name };
        }
      }),
    );
}

function questionOf({ minimise, p95, p99, rate: wanted, budget, proposers }: OptimizeOptions): OptimizationQuestion {
  return {
    dryRun: true,
    minimise,
    evaluations: budget,
    ...(p95 !== undefined && { p95Ms: p95 }),
    ...(p99 !== undefined && { p99Ms: p99 }),
    ...(wanted !== undefined && rateOf(wanted.replace(/\/s$/, ''))),
    ...(proposers && { proposers }),
  };
}

function time(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('It is a time, such as 800ms or 1s.');
  return Number(number) * (unit === 's' ? 1000 : 1);
}

function text(found: Optimization): string {
  const { pipeline, version, ratePerSecond, proposal, reason, notes } = found;
  const head = proposal
    ? `${pipeline}: better than ${version} at ${rate(ratePerSecond)}/s, found by ${proposal.proposer}, ${topologyText(proposal.topology)}`
    : `${pipeline}: keep ${version}: ${reason ?? 'nothing better was found.'}`;
  return [
    head,
    '',
    predictions(found),
    ...(proposal ? ['', stages(proposal), '', certificate(proposal)] : []),
    '',
    gap(found),
    '',
    front(found),
    '',
    standing(found),
    ...notes.map(({ message }) => `note: ${message}`),
  ].join('\n');
}

function predictions({ version, proposal, running, error }: Optimization): string {
  const { measured, predicted: now } = running;
  const next = proposal?.predicted;
  const rows = [
    [
      'records/s',
      next && around(next.throughput, rate),
      now && around(now.throughput, rate),
      rate(measured.throughput),
      percent(error.throughput),
    ],
    ['p95', next && around(next.latencyMs.p95, ms), now && around(now.latencyMs.p95, ms), ms(measured.latencyMs.p95), percent(error.p95)],
    ['p99', next && around(next.latencyMs.p99, ms), now && around(now.latencyMs.p99, ms), ms(measured.latencyMs.p99), '–'],
    [
      '$ per 1,000',
      next && around(next.costPer1000.all, usd),
      now && around(now.costPer1000.all, usd),
      usd(measured.costPer1000?.all),
      percent(error.costPer1000),
    ],
  ];
  return table(
    ['', 'PROPOSED', `${version} SIMULATED`, `${version} MEASURED`, 'ERROR OF THE TWIN'],
    rows.map((row) => row.map((cell) => cell ?? '–')),
  );
}

function stages({ topology, allocation }: NonNullable<Optimization['proposal']>): string {
  return table(
    ['STAGE', 'AFTER', 'PARTS', 'MEMORY MB', 'INSTANCES'],
    topology.stages.map(({ name, after, partitions }) => [
      name,
      after.join(' '),
      partitions,
      allocation[name]?.memoryMb ?? '',
      allocation[name]?.concurrency ?? '',
    ]),
  );
}

function certificate({ certificate: { from, to, steps } }: NonNullable<Optimization['proposal']>): string {
  const kinds = steps.map(({ step }) => String(step.rewrite)).join(', ');
  return `certificate: ${short(from)} → ${short(to)} in ${steps.length} legal steps, checked (${kinds})`;
}

function gap({ gap: found }: Optimization): string {
  if ('reason' in found) return `optimality gap: unknown, ${found.reason}`;
  const { plans, by } = found.space;
  const space = `cuts × batching × memory, ${plans} plans, enumerated by ${by}`;
  return found.share <= 0 && by === 'twin'
    ? `optimality gap: none in that space (${space})`
    : `optimality gap: ${percent(found.share)} to the best of ${space}`;
}

function front({ front: plans }: Optimization): string {
  return table(
    ['PARETO FRONT', '$ PER 1,000', 'P95', 'RECORDS/S'],
    plans.map(({ topology, costPer1000, p95Ms, throughput }) => [topologyText(topology), usd(costPer1000), ms(p95Ms), rate(throughput)]),
  );
}

function standing({ standing: all }: Optimization): string {
  return table(
    ['PROPOSER', 'EVALUATIONS', 'TIME', '$ PER 1,000', 'P95', 'REGRET'],
    all.map(({ proposer, evaluations, ms: took, best, regret }) => [
      proposer,
      evaluations,
      ms(took),
      usd(best?.costPer1000),
      best ? ms(best.p95Ms) : '–',
      percent(regret),
    ]),
  );
}

function topologyText({ stages: all, batch, lingerMs }: NonNullable<Optimization['proposal']>['topology']): string {
  return `${all.length} ${all.length === 1 ? 'stage' : 'stages'}, batches of ${batch.records}, linger ${lingerMs} ms`;
}
