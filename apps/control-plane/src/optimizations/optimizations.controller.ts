import { Body, Controller, Inject, Param } from '@nestjs/common';
import { Optimization, OptimizationQuestion, ProposerName } from '@autoflow/client/schemas';
import { Post, ProblemError } from '@autoflow/http';
import type { ProposedFromMeasurements } from '@autoflow/optimizer';
import type { Store } from '@autoflow/store';
import { MEMORY_SIZES_MB } from '@autoflow/topology';
import type { ReplicatedSimulation } from '@autoflow/twin';
import type { z } from 'zod';
import { currentAllocation, hostOf, invocationsOf, measuredBy, notIdentifiable } from '../measurements/measurements.js';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { searchInThread } from './search-in-thread.js';

type Question = z.output<typeof OptimizationQuestion>;

/** What a whole proposal may take, fit and replications of the winner not counted. */
const SEARCH_MS = 45_000;
const EVALUATIONS = 2_000;
const INSTANCES = 32;

@Controller('v1/pipelines/:pipeline/optimizations')
export class OptimizationsController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Post('', {
    summary: 'A better topology than the stable one, searched in the twin and certified, or why there is none; nothing is changed',
    access: 'operator',
    answers: Optimization,
    problems: [
      'PIPELINE_UNKNOWN',
      'VERSION_UNKNOWN',
      'RELEASE_UNKNOWN',
      'MALFORMED_JSON',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INVALID_BODY',
      'NOT_IDENTIFIABLE',
      'SEARCH_RUNNING',
    ],
  })
  async optimize(@Param('pipeline') pipeline: string, @Body({ schema: OptimizationQuestion }) question: Question) {
    const { stable } = await findPipeline(this.store, pipeline);
    const running = await findVersion(this.store, pipeline, stable.version);
    const { spec } = await findRelease(this.store, pipeline, running.release);
    const measured = await measuredBy(this.store, running, question.since);
    const rows = await invocationsOf(this.store, pipeline, running.release);
    const ratePerSecond = question.ratePerSecond ?? (question.times ?? 1) * measured.throughput;
    const { minimise = 'cost', p95Ms, p99Ms } = question;
    const found = await searchInThread({
      measured: {
        spec,
        rows,
        host: hostOf(rows, question.cores),
        running: {
          topology: running.topology,
          envelope: running.envelope,
          allocation: await currentAllocation(this.store, running),
          measured,
        },
        ratePerSecond,
        objective: { minimise, ...(p95Ms !== undefined && { p95Ms }), ...(p99Ms !== undefined && { p99Ms }) },
        limits: { memoryMb: MEMORY_SIZES_MB, instances: INSTANCES },
        seed: question.seed ?? 1,
      },
      proposers: question.proposers ?? ProposerName.options,
      budget: { evaluations: question.evaluations ?? EVALUATIONS, ms: SEARCH_MS },
    });
    if (found === undefined) throw new ProblemError('SEARCH_RUNNING', 'This control plane is searching already.');
    if ('refused' in found) throw notIdentifiable([found.refused]);
    if ('missing' in found) throw notIdentifiable([...new Set(found.missing.map(({ message }) => message))]);
    return { pipeline, version: running.name, ratePerSecond, ...presented(found, measured) };
  }
}

type Answer = z.input<typeof Optimization>;

function presented(
  { proposed, error, notes }: ProposedFromMeasurements,
  measured: Answer['running']['measured'],
): Omit<Answer, 'pipeline' | 'version' | 'ratePerSecond'> {
  const { winner, reason, start, front, gap, standing } = proposed;
  return {
    ...(winner && {
      proposal: {
        topology: winner.plan.topology,
        allocation: winner.plan.allocation,
        proposer: winner.proposer,
        predicted: figuresOf(winner.predicted),
        gain: winner.gain,
        certificate: winner.certificate as unknown as NonNullable<Answer['proposal']>['certificate'],
      },
    }),
    ...(reason !== undefined && { reason }),
    running: { measured, ...(start.predicted && { predicted: figuresOf(start.predicted) }) },
    error,
    front: front.map(({ figures, plan: { topology, allocation } }) => ({ ...figures, topology, allocation })),
    gap,
    standing: standing.map(({ best, ...one }) => ({ ...one, ...(best && { best: best.figures }) })),
    notes: [...notes],
  };
}

function figuresOf({ throughput, latencyMs, costPer1000 }: ReplicatedSimulation) {
  return { throughput, latencyMs, costPer1000 };
}
