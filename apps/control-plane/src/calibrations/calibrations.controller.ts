import { randomBytes } from 'node:crypto';
import { Body, Controller, Inject, Param } from '@nestjs/common';
import { Calibration, NewCalibration } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, Get, Post, ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { CalibrationReport, CalibrationRequest } from '@autoflow/topology';
import { CALIBRATION_WORKFLOW, calibrationWorkflowId } from '@autoflow/workflows';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { QUESTION_RUNS, type QuestionRuns, STORE } from '../ports.js';
import { notThere } from '../versions/versions.service.js';

@Controller('v1/pipelines/:pipeline/calibrations')
export class CalibrationsController {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(QUESTION_RUNS) private readonly runs: QuestionRuns,
  ) {}

  @Post('', {
    summary: 'Measure the functions of a release at several memory sizes, over recorded inputs; nothing outside is touched',
    note: 'It runs on a host with the role functions, beside live work. The measurements count where versions are predicted, and in no metric.',
    access: 'operator',
    answers: Calibration,
    status: 201,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', 'TEMPORAL_UNAVAILABLE', ...BODY_PROBLEMS],
  })
  async start(@Param('pipeline') pipeline: string, @Body({ schema: NewCalibration }) body: z.output<typeof NewCalibration>) {
    await findPipeline(this.store, pipeline);
    const { version, memoryMb } = body;
    if (version !== undefined && (await this.store.definitions.version(pipeline, version)) === undefined)
      throw notThere('/version', `${pipeline} has no version ${version}`);
    const id = `cal-${randomBytes(6).toString('hex')}`;
    const request: CalibrationRequest = { id, pipeline, memoryMb: [...memoryMb].sort((a, b) => a - b), ...(version && { version }) };
    await this.runs.start(CALIBRATION_WORKFLOW, calibrationWorkflowId(pipeline, id), request);
    return { id, pipeline, state: 'running', startedAt: new Date() };
  }

  @Get(':calibration', {
    summary: 'One calibration, and what it found',
    access: 'viewer',
    answers: Calibration,
    problems: ['PIPELINE_UNKNOWN', 'CALIBRATION_UNKNOWN', 'TEMPORAL_UNAVAILABLE'],
  })
  async show(@Param('pipeline') pipeline: string, @Param('calibration') id: string) {
    await findPipeline(this.store, pipeline);
    const found = await this.runs.find<CalibrationReport>(calibrationWorkflowId(pipeline, id));
    if (found === undefined)
      throw new ProblemError('CALIBRATION_UNKNOWN', `${pipeline} has no calibration ${JSON.stringify(id)}, or none any more.`);
    const { askedAt, answeredAt } = found;
    return {
      ...{ id, pipeline, state: found.state === 'answered' ? 'completed' : found.state, startedAt: askedAt },
      ...(answeredAt && { endedAt: answeredAt }),
      ...(found.state === 'answered' && { report: found.answer }),
      ...(found.state === 'failed' && { failure: found.failure }),
    };
  }
}
