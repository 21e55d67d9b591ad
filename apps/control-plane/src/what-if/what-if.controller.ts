import { availableParallelism } from 'node:os';
import { Body, Controller, Inject, Param } from '@nestjs/common';
import { WhatIf, WhatIfQuestion } from '@autoflow/client/schemas';
import { Post, ProblemError } from '@autoflow/http';
import type { InvocationRow, MetricsRow, Store, VersionRow } from '@autoflow/store';
import type { Allocation } from '@autoflow/topology';
import { LOCAL_HOST, PlanError, whatIf, type HostModel, type Measured, type WhatIfAnswer } from '@autoflow/twin';
import type { z } from 'zod';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { allocationOf } from '../versions/plan.js';

type Question = z.output<typeof WhatIfQuestion>;

const DEFAULT_SINCE_MS = 24 * 3_600_000;
/** Of a release, the latest: enough for every function of a pipeline, and read in well under a second. */
const MOST_ROWS = 5_000;

@Controller('v1/pipelines/:pipeline/what-if')
export class WhatIfController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Post('', {
    summary: 'What a version would do at another rate or with another allocation, simulated from what was measured; nothing is changed',
    access: 'viewer',
    answers: WhatIf,
    problems: [
      'PIPELINE_UNKNOWN',
      'VERSION_UNKNOWN',
      'RELEASE_UNKNOWN',
      'MALFORMED_JSON',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INVALID_BODY',
      'ALLOCATION_OUT_OF_BOUNDS',
      'NOT_IDENTIFIABLE',
    ],
  })
  async ask(@Param('pipeline') pipeline: string, @Body({ schema: WhatIfQuestion }) question: Question) {
    const { stable } = await findPipeline(this.store, pipeline);
    const running = await findVersion(this.store, pipeline, stable.version);
    const asked = question.version === undefined ? running : await findVersion(this.store, pipeline, question.version);
    const { spec } = await findRelease(this.store, pipeline, asked.release);
    const measured = await this.measured(running, question.since ?? DEFAULT_SINCE_MS);
    const ratePerSecond = question.ratePerSecond ?? (question.times ?? 1) * measured.throughput;
    const rows = (await this.store.metrics.invocations({ pipeline, limit: MOST_ROWS })).filter(({ release }) => release === asked.release);
    const allocation =
      question.stages === undefined
        ? await this.allocation(asked)
        : allocationOf(spec, asked.topology, asked.envelope, question.stages, '/stages');
    const answer = answered({
      spec,
      rows,
      host: hostOf(rows, question.cores),
      running: { topology: running.topology, allocation: await this.allocation(running), measured },
      asked: { topology: asked.topology, allocation },
      ratePerSecond,
    });
    const { predicted, error, notes } = answer;
    return {
      pipeline,
      version: asked.name,
      ratePerSecond,
      predicted: figuresOf(predicted),
      running: { version: running.name, measured, predicted: figuresOf(answer.running) },
      error,
      notes,
    };
  }

  private async allocation({ pipeline, name }: VersionRow): Promise<Allocation> {
    return (await this.store.definitions.allocation(pipeline, name))!.stages;
  }

  private async measured({ pipeline, name }: VersionRow, sinceMs: number): Promise<Measured> {
    const to = new Date();
    const from = new Date(to.getTime() - sinceMs);
    const [row] = await this.store.metrics.metrics({ pipeline, version: name, by: 'version', from, to });
    if (row === undefined) throw notIdentifiable([`${pipeline} ${name} has measured nothing in this time. Let it run first.`]);
    return measuredOf(row);
  }
}

function measuredOf({ throughput, latency, costPer1000 }: MetricsRow): Measured {
  return { throughput, latencyMs: latency, ...(costPer1000 && { costPer1000 }) };
}

function answered(question: Parameters<typeof whatIf>[0]): WhatIfAnswer {
  try {
    const found = whatIf(question);
    if ('answer' in found) return found.answer;
    throw notIdentifiable(found.missing.map(({ message }) => message));
  } catch (error) {
    if (error instanceof PlanError) throw notIdentifiable([error.message]);
    throw error;
  }
}

function notIdentifiable(reasons: readonly string[]): ProblemError {
  return new ProblemError(
    'NOT_IDENTIFIABLE',
    'What was measured does not tell enough for this question.',
    reasons.map((message) => ({ message })),
  );
}

/** Soft limits give every instance a whole core, whatever its memory. */
function hostOf(rows: readonly InvocationRow[], cores = availableParallelism()): HostModel {
  return { ...LOCAL_HOST, cores, cpuFollowsMemory: rows.some(({ enforcement }) => enforcement !== 'soft') };
}

function figuresOf({ throughput, latencyMs, costPer1000 }: WhatIfAnswer['predicted']) {
  return { throughput, latencyMs, costPer1000 };
}
