import { availableParallelism } from 'node:os';
import { Body, Controller, Inject, Param } from '@nestjs/common';
import { WhatIf, WhatIfQuestion } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, Post } from '@autoflow/http';
import { hostOf } from '@autoflow/optimizer';
import type { Store } from '@autoflow/store';
import { PlanError, whatIf, type WhatIfAnswer } from '@autoflow/twin';
import type { z } from 'zod';
import { currentAllocation, invocationsOf, measuredBy, notIdentifiable } from '../measurements/measurements.js';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { allocationOf } from '../versions/plan.js';

type Question = z.output<typeof WhatIfQuestion>;

@Controller('v1/pipelines/:pipeline/what-if')
export class WhatIfController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Post('', {
    summary: 'What a version would do at another rate or with another allocation, simulated from what was measured; nothing is changed',
    access: 'viewer',
    answers: WhatIf,
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN', 'RELEASE_UNKNOWN', ...BODY_PROBLEMS, 'ALLOCATION_OUT_OF_BOUNDS', 'NOT_IDENTIFIABLE'],
  })
  async ask(@Param('pipeline') pipeline: string, @Body({ schema: WhatIfQuestion }) question: Question) {
    const { stable } = await findPipeline(this.store, pipeline);
    const running = await findVersion(this.store, pipeline, stable.version);
    const asked = question.version === undefined ? running : await findVersion(this.store, pipeline, question.version);
    const { spec } = await findRelease(this.store, pipeline, asked.release);
    const allocation =
      question.stages === undefined
        ? await currentAllocation(this.store, asked)
        : allocationOf(spec, asked.topology, asked.envelope, question.stages, '/stages');
    const { measured, ...load } = await measuredBy(this.store, running, question.since);
    const ratePerSecond = question.ratePerSecond ?? (question.times ?? 1) * measured.throughput;
    const rows = await invocationsOf(this.store, pipeline, asked.release);
    const answer = answered({
      spec,
      rows,
      host: hostOf(rows, question.cores ?? availableParallelism()),
      running: {
        version: running.name,
        topology: running.topology,
        allocation: await currentAllocation(this.store, running),
        measured,
        ...load,
      },
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

function figuresOf({ throughput, latencyMs, costPer1000 }: WhatIfAnswer['predicted']) {
  return { throughput, latencyMs, costPer1000 };
}
