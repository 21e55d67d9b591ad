import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import {
  NewRollout,
  RollBackRollout,
  RolledBack,
  Rollout,
  RolloutAction,
  RolloutDetail,
  RolloutList,
  RolloutsQuery,
} from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, Get, Post, type ProblemCode } from '@autoflow/http';
import type { z } from 'zod';
import { RolloutsService } from './rollouts.service.js';

type Action = z.output<typeof RolloutAction>;

const BODY: readonly ProblemCode[] = ['PIPELINE_UNKNOWN', ...BODY_PROBLEMS];
const ACTION: readonly ProblemCode[] = [...BODY, 'ROLLOUT_UNKNOWN', 'ROLLOUT_ENDED'];

@Controller('v1/pipelines/:pipeline/rollouts')
export class RolloutsController {
  constructor(@Inject(RolloutsService) private readonly rollouts: RolloutsService) {}

  @Post('', {
    summary:
      'Roll a version out: shadow, warm pools, canary by steps; promoted or rolled back on what it shows. One at a time per pipeline',
    access: 'operator',
    note: 'Whoever moves the traffic by hand meanwhile (stable pointer, arms, a deploy) ends it: what they did stands.',
    answers: Rollout,
    status: 201,
    idempotent: 'kept',
    problems: [...BODY, 'VERSION_UNKNOWN', 'ROLLOUT_ACTIVE', 'ROLLOUT_REFUSED'],
  })
  start(@Param('pipeline') pipeline: string, @Body({ schema: NewRollout }) body: z.output<typeof NewRollout>, @Caller() by: By) {
    return this.rollouts.start(pipeline, body, by);
  }

  @Get('', { summary: 'Rollouts, newest first', access: 'viewer', answers: RolloutList, problems: ['PIPELINE_UNKNOWN'] })
  list(@Param('pipeline') pipeline: string, @Query({ schema: RolloutsQuery }) page: z.output<typeof RolloutsQuery>) {
    return this.rollouts.list(pipeline, page);
  }

  @Get(':rollout', {
    summary: 'One rollout: where it stands, what it has shown, every evaluation',
    access: 'viewer',
    answers: RolloutDetail,
    problems: ['PIPELINE_UNKNOWN', 'ROLLOUT_UNKNOWN'],
  })
  show(@Param('pipeline') pipeline: string, @Param('rollout') id: string) {
    return this.rollouts.show(pipeline, id);
  }

  @Post(':rollout\\:pause', {
    summary: 'Keep its present shares; harm still takes it back',
    access: 'operator',
    answers: Rollout,
    idempotent: 'kept',
    problems: ACTION,
  })
  pause(
    @Param('pipeline') pipeline: string,
    @Param('rollout') id: string,
    @Body({ schema: RolloutAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.rollouts.pause(pipeline, id, true, by(reason ?? 'paused over the API'));
  }

  @Post(':rollout\\:resume', {
    summary: 'Let it go on',
    access: 'operator',
    answers: Rollout,
    idempotent: 'kept',
    problems: ACTION,
  })
  resume(
    @Param('pipeline') pipeline: string,
    @Param('rollout') id: string,
    @Body({ schema: RolloutAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.rollouts.pause(pipeline, id, false, by(reason ?? 'resumed over the API'));
  }

  @Post(':rollout\\:abort', {
    summary: 'Take its traffic back and end it, also where it is just being promoted',
    access: 'operator',
    answers: Rollout,
    idempotent: 'kept',
    problems: ACTION,
  })
  abort(
    @Param('pipeline') pipeline: string,
    @Param('rollout') id: string,
    @Body({ schema: RolloutAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.rollouts.abort(pipeline, id, by(reason ?? 'aborted over the API'));
  }

  @Post(':rollout\\:roll-back', {
    summary: 'Take its traffic back, end it and mark the candidate as rolled back: AutoFlow does not roll it out by itself again',
    access: 'operator',
    note: 'The stable version stays what it was before; a promotion that comes first while this is asked for is undone. What is under way on the candidate ends there or, with `inFlight: abort`, is taken back.',
    answers: RolledBack,
    idempotent: 'kept',
    problems: ACTION,
  })
  rollBack(
    @Param('pipeline') pipeline: string,
    @Param('rollout') id: string,
    @Body({ schema: RollBackRollout }) { reason, inFlight }: z.output<typeof RollBackRollout>,
    @Caller() by: By,
  ) {
    return this.rollouts.rollBack(pipeline, id, inFlight === 'abort', by(reason ?? 'rolled back over the API'));
  }

  @Post(':rollout\\:promote', {
    summary: 'Make the candidate stable now, whatever is shown so far; the version before stays as the holdout',
    access: 'operator',
    answers: Rollout,
    idempotent: 'kept',
    problems: [...ACTION, 'ROLLOUT_NOT_IN_CANARY', 'TEMPORAL_UNAVAILABLE'],
  })
  promote(
    @Param('pipeline') pipeline: string,
    @Param('rollout') id: string,
    @Body({ schema: RolloutAction }) { reason }: Action,
    @Caller() by: By,
  ) {
    return this.rollouts.promote(pipeline, id, by(reason ?? 'promoted over the API'));
  }
}
