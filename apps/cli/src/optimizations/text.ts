import type { OptimizationDetail } from '@autoflow/client';
import { around } from '../commands/what-if.js';
import { ms, percent, rate, short, usd } from '../format.js';
import { table } from '../output.js';

type Found = NonNullable<OptimizationDetail['found']>;
type Proposal = NonNullable<Found['proposal']>;

/** What an optimization came to, and why. */
export function optimizationText(optimization: OptimizationDetail): string {
  const { found, notes = [] } = optimization;
  return [
    head(optimization),
    ...(found ? ['', predictions(optimization, found)] : []),
    ...(found?.proposal ? ['', stages(optimization, found.proposal), '', certificate(found.proposal)] : []),
    ...(found ? ['', gap(found), '', front(found), '', standing(found), ...scored(found)] : []),
    '',
    table(
      ['STEP', 'DECISION'],
      optimization.decisions.map(({ step, reason, code }) => [step, code === undefined ? reason : `${code}: ${reason}`]),
      'No decision yet.',
    ),
    ...cost(optimization),
    ...notes.map(({ message }) => `note: ${message}`),
  ].join('\n');
}

function head({ id, pipeline, version = '', state, reason, registered, found, ratePerSecond = 0 }: OptimizationDetail): string {
  const name = `${pipeline} ${id} ${state}`;
  const proposal = found?.proposal;
  if (proposal === undefined) return `${name}: ${reason ?? 'nothing was found yet.'}`;
  const as = registered === undefined ? '' : `, registered as ${registered}`;
  return `${name}: better than ${version} at ${rate(ratePerSecond)}/s, found by ${proposal.proposer}, ${topologyText(proposal.topology)}${as}`;
}

function predictions({ version = '', measured, error, allocated }: OptimizationDetail, found: Found): string {
  const { proposal, running } = found;
  const next = allocated?.predicted ?? proposal?.predicted;
  const figures = (
    name: string,
    of: (predicted: NonNullable<typeof next>) => { readonly mean: number; readonly halfWidth: number },
    format: (value: number) => string,
    was: number | undefined,
    missed: number | undefined,
  ): string[] => [
    name,
    next ? around(of(next), format) : '–',
    running ? around(of(running), format) : '–',
    was === undefined ? '–' : format(was),
    percent(missed),
  ];
  return table(
    ['', 'PROPOSED', `${version} SIMULATED`, `${version} MEASURED`, 'ERROR OF THE TWIN'],
    [
      figures('records/s', (one) => one.throughput, rate, measured?.throughput, error?.throughput),
      figures('p95', (one) => one.latencyMs.p95, ms, measured?.latencyMs.p95, error?.p95),
      ...inRollout(found),
      figures('p99', (one) => one.latencyMs.p99, ms, measured?.latencyMs.p99, undefined),
      figures('$ per 1,000', (one) => one.costPer1000.all, usd, measured?.costPer1000?.all, error?.costPer1000),
    ],
  );
}

function cost({ decisions }: OptimizationDetail): string[] {
  const spent = decisions.reduce((sum, decision) => sum + (decision.usd ?? 0), 0);
  return spent === 0 ? [] : [`Its own computing cost ${usd(spent)}.`];
}

function inRollout({ rollout }: Found): string[][] {
  if (rollout === undefined) return [];
  const { ratePerSecond, runningP95Ms, p95Ms } = rollout;
  return [[`p95 in a canary's arm, at ${rate(ratePerSecond)}/s`, p95Ms === undefined ? '–' : ms(p95Ms), ms(runningP95Ms), '–', '']];
}

function stages({ allocated }: OptimizationDetail, { topology, allocation: searched }: Proposal): string {
  const allocation = allocated?.allocation ?? searched;
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

function certificate({ certificate: { from, to, steps } }: Proposal): string {
  const kinds = steps.map(({ step }) => String(step['rewrite'])).join(', ');
  return `certificate: ${short(from)} → ${short(to)} in ${steps.length} legal steps, checked (${kinds})`;
}

function gap({ gap: found }: Found): string {
  if ('bestKnown' in found) {
    const { evaluations, proposers } = found.bestKnown;
    const searched = `${evaluations} plans that ${proposers.length} proposers asked the twin about`;
    return `gap to the best known of ${searched}: ${percent(found.share)} (no optimum is known: ${found.reason})`;
  }
  if ('reason' in found) return `optimality gap: unknown, ${found.reason}`;
  const space = `cuts × batching × memory, ${found.space.plans} plans, enumerated by ${found.space.by}`;
  return found.share <= 0
    ? `optimality gap: none in that space (${space})`
    : `optimality gap: ${percent(found.share)} to the best of ${space}`;
}

function front({ front: plans }: Found): string {
  return table(
    ['PARETO FRONT', '$ PER 1,000', 'P95', 'RECORDS/S'],
    plans.map(({ topology, costPer1000, p95Ms, throughput }) => [topologyText(topology), usd(costPer1000), ms(p95Ms), rate(throughput)]),
  );
}

function standing({ standing: all }: Found): string {
  return table(
    ['PROPOSER', 'EVALUATIONS', 'TIME', '$ PER 1,000', 'P95', 'REGRET', ''],
    all.map(({ proposer, evaluations, ms: took, best, regret, note }) => [
      proposer,
      evaluations,
      ms(took),
      usd(best?.costPer1000),
      best ? ms(best.p95Ms) : '–',
      percent(regret),
      note ?? '',
    ]),
  );
}

/** What the learned scorer thinks most of. */
function scored({ scored: all }: Found): string[] {
  if (all.length === 0) return [];
  const rows = all.map(({ topology, probability, predicted, why }) => [
    topologyText(topology),
    percent(probability),
    usd(predicted.costPer1000),
    ms(predicted.p95Ms),
    whyText(why),
  ]);
  return ['', table(['SCORED', 'BETTER WITH', '$ PER 1,000', 'P95', 'WHY: ITS STAGES BY FORMULA, AND WHAT WAS LEARNED BEYOND IT'], rows)];
}

/**
 * The stage that costs most, and of the others the one of which most was learned. The share is that of the cost by formula, without Temporal's
 * actions; what was learned is by how much the scorer would think less of the plan, in ln of what is minimised, if it took the stage for an
 * average one and left the formula as it is.
 */
function whyText(why: readonly { readonly [name: string]: unknown }[]): string {
  const [costliest, ...others] = why
    .flatMap(({ stage, costShare, learned }) =>
      typeof stage === 'string' && typeof costShare === 'number' && typeof learned === 'number' ? [{ stage, costShare, learned }] : [],
    )
    .toSorted((a, b) => b.costShare - a.costShare);
  if (costliest === undefined) return '';
  const shown = (learned: number): number => Math.round(100 * Math.abs(learned));
  const next = others.toSorted((a, b) => shown(b.learned) - shown(a.learned)).slice(0, 1);
  return [costliest, ...next]
    .map(({ stage, costShare, learned }) => `${stage} ${percent(costShare)} of the cost, ${learnedText(learned)}`)
    .join('; ');
}

function learnedText(learned: number): string {
  const size = Math.abs(learned).toFixed(2);
  return Number(size) === 0 ? 'nothing learned' : `learned ${learned < 0 ? '−' : '+'}${size}`;
}

export function topologyText({ stages: all, batch, lingerMs }: Proposal['topology']): string {
  return `${all.length} ${all.length === 1 ? 'stage' : 'stages'}, batches of ${batch.records}, linger ${lingerMs} ms`;
}
