import { Body, Controller, Inject, Param } from '@nestjs/common';
import { Calibration, NewCalibration } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, Get, Post } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { CalibrationReport, CalibrationRequest } from '@autoflow/topology';
import { CALIBRATION_WORKFLOW, calibrationWorkflowId } from '@autoflow/workflows';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { QUESTION_RUNS, type QuestionRuns, STORE } from '../ports.js';
import { begin, newId, progressOf, type QuestionKind } from '../temporal/asked.js';
import { notThere } from '../versions/versions.service.js';

const CALIBRATION: QuestionKind = {
  ...{ prefix: 'cal', name: 'calibration', unknown: 'CALIBRATION_UNKNOWN' },
  ...{ workflow: CALIBRATION_WORKFLOW, workflowId: calibrationWorkflowId },
};

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
    const request: CalibrationRequest = {
      ...{ id: newId(CALIBRATION), pipeline, memoryMb: [...memoryMb].sort((a, b) => a - b) },
      ...(version && { version }),
    };
    const { askedAt, ...begun } = await begin(this.runs, CALIBRATION, request);
    return { ...begun, startedAt: askedAt };
  }

  @Get(':calibration', {
    summary: 'One calibration, and what it found',
    access: 'viewer',
    answers: Calibration,
    problems: ['PIPELINE_UNKNOWN', 'CALIBRATION_UNKNOWN', 'TEMPORAL_UNAVAILABLE'],
  })
  async show(@Param('pipeline') pipeline: string, @Param('calibration') id: string) {
    await findPipeline(this.store, pipeline);
    const { askedAt, answeredAt, ...found } = await progressOf<CalibrationReport>(this.runs, CALIBRATION, pipeline, id);
    const times = { startedAt: askedAt, ...(answeredAt && { endedAt: answeredAt }) };
    if (found.state !== 'completed') return { ...found, ...times };
    const { answer: report, ...one } = found;
    return { ...one, ...times, report };
  }
}
