import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { NewBackfill } from '@autoflow/client/schemas';
import type { BackfillRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import type { By } from '../access/caller.js';
import { ProblemError } from '../http/problem-error.js';
import { findPipeline } from '../pipelines/lookup.js';
import { BACKFILL_RUNS, type BackfillRuns, STORE } from '../ports.js';
import { notThere } from '../versions/versions.service.js';

@Injectable()
export class BackfillsService {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(BACKFILL_RUNS) private readonly runs: BackfillRuns,
  ) {}

  /** The row is committed before the run is started. Where Temporal does not answer, the row ends as `failed` and says so. */
  async start(pipeline: string, { reason, scope, source, version, ...settings }: z.output<typeof NewBackfill>, by: By) {
    await findPipeline(this.store, pipeline);
    if (version !== undefined && (await this.store.definitions.version(pipeline, version)) === undefined)
      throw notThere('/version', `${pipeline} has no version ${version}`);
    const id = `bf-${randomBytes(6).toString('hex')}`;
    const row = { id, pipeline, scope: scope ?? id, source, ...(version !== undefined && { version }), ...settings };
    const created = await this.store.backfills.create(row, by(reason ?? 'started over the API'));
    await this.runs.start(id).catch(async (error: unknown) => {
      await this.store.backfills.setState(id, 'failed', by('Temporal was not available when the backfill was to start'));
      throw error;
    });
    return presented(created);
  }

  async list(pipeline: string, limit: number) {
    await findPipeline(this.store, pipeline);
    return { items: (await this.store.backfills.list(pipeline, limit)).map(presented) };
  }

  async show(pipeline: string, id: string) {
    return presented(await this.find(pipeline, id));
  }

  async pause(pipeline: string, id: string, by: ReturnType<By>) {
    await this.find(pipeline, id);
    const row = await this.store.backfills.setState(id, 'paused', by);
    await this.runs.signal(id, 'pause');
    return presented(row);
  }

  async resume(pipeline: string, id: string, by: ReturnType<By>) {
    await this.find(pipeline, id);
    const row = await this.store.backfills.setState(id, 'running', by);
    await this.runs.resume(id);
    return presented(row);
  }

  /** Also ends the executions it has started; their records are `cancelled`. */
  async cancel(pipeline: string, id: string, by: ReturnType<By>) {
    await this.find(pipeline, id);
    const row = await this.store.backfills.setState(id, 'cancelled', by);
    await this.runs.signal(id, 'cancel');
    return presented(row);
  }

  private async find(pipeline: string, id: string): Promise<BackfillRow> {
    await findPipeline(this.store, pipeline);
    const row = await this.store.backfills.get(id);
    if (row?.pipeline !== pipeline) throw new ProblemError('BACKFILL_UNKNOWN', `${pipeline} has no backfill ${JSON.stringify(id)}.`);
    return row;
  }
}

/** Without what only the feeder needs. */
function presented({ cursor: _, ...row }: BackfillRow) {
  return row;
}
