import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import { SetStable, Stable, StableSet } from '@autoflow/client/schemas';
import { BODY_PROBLEMS, type By, Caller, etagOf, Get, IfMatch, Put } from '@autoflow/http';
import type { PipelineRow, RolloutRow, Store } from '@autoflow/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { STORE } from '../ports.js';
import { noticesFor } from '../settings/settings.js';
import { findPipeline, findRelease, findVersion } from './lookup.js';
import { takeBack } from './take-back.js';

/** The pointer that new executions follow. */
@Controller('v1/pipelines/:pipeline/stable')
export class StableController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', {
    summary: 'The version that new executions get',
    access: 'viewer',
    answers: Stable,
    etag: true,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Res({ passthrough: true }) response: Response) {
    return answered(await findPipeline(this.store, pipeline), response);
  }

  @Put('', {
    summary:
      'Roll back, or forward: every execution started after the answer gets this version; those under way end on theirs or are taken back',
    access: 'operator',
    note: 'Done in spite of a freeze or a pin, which bind AutoFlow and not people; `notices` says so. A rollout that is under way ends by it.',
    answers: StableSet,
    etag: true,
    idempotent: 'kept',
    problems: ['PIPELINE_UNKNOWN', 'VERSION_UNKNOWN', 'RELEASE_UNKNOWN', ...BODY_PROBLEMS],
  })
  async set(
    @Param('pipeline') pipeline: string,
    @IfMatch() revision: number | undefined,
    @Body({ schema: SetStable }) { version: named, release, reason, inFlight }: z.output<typeof SetStable>,
    @Caller() by: By,
    @Res({ passthrough: true }) response: Response,
  ) {
    const before = await findPipeline(this.store, pipeline);
    const version = named ?? (await this.versionOf(pipeline, release!));
    await findVersion(this.store, pipeline, version);
    const aborts = inFlight === 'abort' && version !== before.stable.version;
    // What is taken back is of the version that this flip replaces, and of no other.
    const condition = revision ?? (aborts ? before.stable.revision : undefined);
    const [newest] = await this.store.rollouts.list(pipeline, { limit: 1 });
    const row = await this.store.definitions.setStable({
      pipeline,
      version,
      ...(condition !== undefined && { revision: condition }),
      by: by(reason),
    });
    const notices = [...(await noticesFor(this.store, pipeline, version)), ...(await this.endedBy(newest))];
    const stable = { ...answered(row, response), notices };
    return aborts ? { ...stable, inFlight: await takeBack(this.store, { pipeline, ...before.stable }) } : stable;
  }

  private async endedBy(rollout: RolloutRow | undefined): Promise<string[]> {
    if (rollout === undefined || rollout.endedAt !== undefined) return [];
    const { id, version, state } = (await this.store.rollouts.get(rollout.id))!;
    return state === 'superseded' ? [`The rollout of ${version} (${id}) was under way and has ended by this.`] : [];
  }

  private async versionOf(pipeline: string, release: string): Promise<string> {
    await findRelease(this.store, pipeline, release);
    return (await this.store.definitions.lastStableOf(pipeline, release))!;
  }
}

function answered({ stable }: PipelineRow, response: Response) {
  response.setHeader('ETag', etagOf(stable.revision));
  return stable;
}
