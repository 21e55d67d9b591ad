import { createHash } from 'node:crypto';
import type { Finished, FittedPipeline, Guardrail, Problem, Proposed, ScoredTopology } from '@autoflow/optimizer';
import { hashTopology, MEMORY_SIZES_MB, ROLLOUT_DEFAULTS, type OptimizationRequest } from '@autoflow/topology';
import type { ReplicatedSimulation } from '@autoflow/twin';
import type { Gathered } from './gather.js';
import { leftOf, searchMs } from './budget.js';
import { runningOf } from './fit.js';
import { ask, found, goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';

/** What a whole proposal may take, fit and replications of the winner not counted. */
const SECONDS = 45;
const EVALUATIONS = 2_000;
const INSTANCES = 32;
/** The learned scorer beside plain search, at equal budgets: who wins is used. */
const PROPOSERS = ['exhaustive', 'analytic', 'beam', 'annealing', 'greedy', 'random', 'gcn'] as const;

/** As it is shown: what was proposed, what it was held against, and who else proposed what. */
export interface ProposalDocument {
  readonly proposal?: {
    readonly topology: object;
    readonly allocation: object;
    readonly proposer: string;
    readonly predicted: Figures;
    readonly keepsLimits: boolean;
    readonly gain?: object;
    readonly certificate: object;
  };
  readonly reason?: string;
  /** What runs, at the rate that was asked for. */
  readonly running?: Figures;
  /** In an arm of the rollout. */
  readonly rollout?: Proposed['rollout'];
  readonly front: readonly object[];
  readonly gap: object;
  readonly standing: readonly object[];
  readonly scored: readonly ScoredTopology[];
}
export type Figures = Pick<ReplicatedSimulation, 'throughput' | 'latencyMs' | 'costPer1000'>;

/**
 * The tournament: the winner's plan, certified, or why nothing is better. Proposers that have finished in an attempt that was killed are taken over, as
 * if it had gone on; what it has spent is spent.
 */
export async function proposeTopologies(ports: OptimizingPorts, job: Job): Promise<Outcome> {
  const { request, progress } = job.row;
  const left = leftOf(job.row);
  const seconds = request.seconds ?? SECONDS;
  const leftMs = 1000 * (seconds - (progress?.step === 'propose' ? (progress.spent?.seconds ?? 0) : 0));
  const { release } = await found<Gathered>(ports, job, 'gather');
  const { problem, leftOut } = await withoutTakenBack(ports, job, release, await problemOf(ports, job));
  const finished = await finishedBefore(ports, job, problem);
  if (finished.length === 0 && (left?.cpuMs === 0 || leftMs <= 0)) {
    const used = left?.cpuMs === 0 ? `$${left.of} was used up before the search` : `${seconds} s was used up by searches that were killed`;
    return { decision: stop('BUDGET', `Keep ${job.row.version}: the budget of ${used}.`) };
  }
  const own = await ports.store.scorers.current(job.row.pipeline, release);
  const { proposed, scored } = await ask<'propose'>(ports, keeping(ports, job, problem), {
    kind: 'propose',
    problem,
    budget: {
      evaluations: request.evaluations ?? EVALUATIONS,
      ms: Math.max(1, leftMs),
      ...(left && { cpuMs: searchMs(left, request.training !== undefined) }),
    },
    proposers: request.proposers ?? PROPOSERS,
    ...(own && { scorer: own.file }),
    ...(finished.length > 0 && { finished }),
  });
  const document = documentOf(proposed, scored);
  const { winner, reason = 'nothing better was found.' } = proposed;
  const cut = proposed.isCut ? ` The search was ended by its budget of $${left!.of}.` : '';
  if (winner === undefined)
    return { document, decision: stop(proposed.isCut ? 'BUDGET' : 'NOTHING_BETTER', `Keep ${job.row.version}: ${reason}${leftOut}${cut}`) };
  const among = `${winner.proposer} won a tournament of ${proposed.standing.length} at equal budgets`;
  return {
    document,
    decision: goOn(
      `${among}: ${leadOf(problem, document)} than ${job.row.version} at ${problem.ratePerSecond.toFixed(1)}/s in the twin.${limits(problem, winner)}${leftOut}${cut}`,
    ),
  };
}

/** What a rollout would be refused is not worth proposing: the next best is. What runs is no candidate. */
async function withoutTakenBack(
  { store }: OptimizingPorts,
  { row: { pipeline } }: Job,
  release: string,
  problem: Problem,
): Promise<{ problem: Problem; leftOut: string }> {
  const runs = hashTopology(problem.start.topology);
  const back = (await store.rollouts.takenBack(pipeline, release))
    .map(({ version, topology }) => ({ version, hash: hashTopology(topology) }))
    .filter(({ hash }) => hash !== runs);
  if (back.length === 0) return { problem, leftOut: '' };
  const names = back.map(({ version }) => version).join(', ');
  return { problem: { ...problem, excluded: back.map(({ hash }) => hash) }, leftOut: ` Left out is what rollouts took back: ${names}.` };
}

/** Of one proposer, for whoever searches again: only for the same problem, as settings and the allocation of what runs may have changed. */
interface Part {
  readonly problem: string;
  readonly finished: Finished;
}
const fingerprint = (problem: Problem): string => createHash('sha256').update(JSON.stringify(problem)).digest('hex');

async function finishedBefore({ store }: OptimizingPorts, { row }: Job, problem: Problem): Promise<readonly Finished[]> {
  const parts = (await store.optimizations.parts(row.id, 'propose')) as Part[];
  const same = fingerprint(problem);
  return parts.filter((part) => part.problem === same).map(({ finished }) => finished);
}

/** Keeps what each proposer has come to. One that could not be kept would only be asked again. */
function keeping({ store }: OptimizingPorts, job: Job, problem: Problem): Job {
  const told: Job['told'] = (progress) => {
    const { finished } = progress;
    const part = finished && ({ problem: fingerprint(problem), finished } satisfies Part);
    if (part) store.optimizations.keepPart(job.row.id, 'propose', finished.standing.proposer, part).catch(() => undefined);
    job.told(progress);
  };
  return { ...job, told };
}

/** What is minimised, beside that of what runs: the score also counts limits that one of them breaks. */
function leadOf({ objective: { minimise } }: Problem, { proposal, running }: ProposalDocument): string {
  const of = ({ costPer1000, latencyMs }: Figures): number => (minimise === 'cost' ? costPer1000.all.mean : latencyMs.p95.mean);
  const what = minimise === 'cost' ? 'cost' : 'p95';
  if (running === undefined) return `${what} better`;
  const share = Math.round(100 * (1 - of(proposal!.predicted) / of(running)));
  return share >= 0 ? `${what} ${share} % less` : `more of the load carried and of the limits kept`;
}

function limits({ objective: { p95Ms, p99Ms } }: Problem, { keepsLimits }: Pick<NonNullable<Proposed['winner']>, 'keepsLimits'>): string {
  const asked = [p95Ms !== undefined && `p95 within ${p95Ms} ms`, p99Ms !== undefined && `p99 within ${p99Ms} ms`].filter(
    (one) => one !== false,
  );
  const what = ['all of the load', ...asked].join(', ');
  if (!keepsLimits) return ` No plan that was looked at keeps what is asked (${what}), nor does this one.`;
  return asked.length > 0 ? ` It keeps what is asked: ${what}.` : '';
}

/** What every proposer is asked, made again by every step that needs it from what the steps before have found out. */
export async function problemOf(ports: OptimizingPorts, job: Job): Promise<Problem> {
  const { pipeline, request } = job.row;
  const gathered = await found<Gathered>(ports, job, 'gather');
  const { models, host, recordBytes, probeShare } = await found<FittedPipeline>(ports, job, 'fit');
  const { spec, running } = await runningOf(ports, pipeline, gathered);
  const { objective } = (await ports.store.settings.get(pipeline))!;
  const { minimise = objective?.minimise ?? 'cost', p95Ms, p99Ms = objective?.p99Ms } = request;
  return {
    spec,
    start: running,
    models,
    host,
    recordBytes,
    ratePerSecond: gathered.ratePerSecond,
    ...(gathered.shape && { shape: gathered.shape }),
    ...(probeShare !== undefined && { probeShare }),
    rollout: guardrailOf(request, gathered),
    objective: { minimise, ...(p95Ms !== undefined && { p95Ms }), ...(p99Ms !== undefined && { p99Ms }) },
    limits: { memoryMb: MEMORY_SIZES_MB, instances: INSTANCES },
    seed: request.seed ?? 1,
  };
}

/** Where its share is least, batches linger the longest: a plan that keeps it there keeps it at every step. */
function guardrailOf({ rollout = {} }: OptimizationRequest, { measured }: Gathered): Guardrail {
  const { ratePerSecond = measured.throughput, p95 = 1 } = rollout;
  const { steps, holdoutPercent } = ROLLOUT_DEFAULTS;
  return { ratePerSecond: ratePerSecond * (1 - holdoutPercent / 100) * (Math.min(...steps) / 100), p95 };
}

function documentOf(
  { winner, reason, rollout, start, front, gap, standing }: Proposed,
  scored: readonly ScoredTopology[],
): ProposalDocument {
  return {
    ...(winner && {
      proposal: {
        topology: winner.plan.topology,
        allocation: winner.plan.allocation,
        proposer: winner.proposer,
        predicted: figuresOf(winner.predicted),
        keepsLimits: winner.keepsLimits,
        ...(winner.gain && { gain: winner.gain }),
        certificate: winner.certificate,
      },
    }),
    ...(reason !== undefined && { reason }),
    ...(start.predicted && { running: figuresOf(start.predicted) }),
    ...(rollout && { rollout }),
    front: front.map(({ figures, plan: { topology, allocation } }) => ({ ...figures, topology, allocation })),
    gap,
    standing: standing.map(({ best, ...one }) => ({ ...one, ...(best && { best: best.figures }) })),
    scored,
  };
}

export function figuresOf({ throughput, latencyMs, costPer1000 }: ReplicatedSimulation): Figures {
  return { throughput, latencyMs, costPer1000 };
}
