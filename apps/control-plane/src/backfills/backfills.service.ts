import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { BackfillsQuery, NewBackfill } from '@autoflow/client/schemas';
import { type By, pageOf, ProblemError } from '@autoflow/http';
import { AlreadyExistsError, type BackfillRow, type Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { BACKFILL_RUNS, type BackfillRuns, QUESTION_RUNS, type QuestionRuns, STORE } from '../ports.js';
import { dryRun } from './dry-run.js';
import { notThere } from '../versions/versions.service.js';

type NewRow = Parameters<Store['backfills']['create']>[0];

@Injectable()
export class BackfillsService {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(BACKFILL_RUNS) private readonly runs: BackfillRuns,
    @Inject(QUESTION_RUNS) private readonly questions: QuestionRuns,
  ) {}

  /**
   * The row is committed before the run is started. Where Temporal does not answer, the row ends as `failed` and says so; with a key it stays,
   * for the same request again or for the control worker, which starts what nobody runs.
   */
  async start(pipeline: string, wanted: z.output<typeof NewBackfill>, key: string | undefined, by: By) {
    const { reason, scope, dryRun: isDry, ...settings } = wanted;
    const { version } = settings;
    const { stable } = await findPipeline(this.store, pipeline);
    if (version !== undefined && (await this.store.definitions.version(pipeline, version)) === undefined)
      throw notThere('/version', `${pipeline} has no version ${version}`);
    if (isDry) return dryRun(this.store, this.questions, pipeline, version ?? stable.version, wanted);
    const id = key === undefined ? `bf-${randomBytes(6).toString('hex')}` : idOf(pipeline, key);
    const row = await this.create({ id, pipeline, scope: scope ?? id, ...settings }, by(reason ?? 'started over the API'));
    if (row.state !== 'running') return presented(row);
    await this.runs.start(id).catch(async (error: unknown) => {
      if (key === undefined)
        await this.store.backfills.setState(id, 'failed', by('Temporal was not available when the backfill was to start'));
      throw error;
    });
    return presented(row);
  }

  /** Or the row that the same request made before. */
  private async create(wanted: NewRow, by: ReturnType<By>): Promise<BackfillRow> {
    try {
      return await this.store.backfills.create(wanted, by);
    } catch (error) {
      const there = error instanceof AlreadyExistsError ? await this.store.backfills.get(wanted.id) : undefined;
      if (there === undefined) throw error;
      if (!isDeepStrictEqual(wanted, requestOf(there)))
        throw new ProblemError('IDEMPOTENCY_KEY_REUSED', `The key made ${there.id}, which was asked for with another body.`);
      return there;
    }
  }

  async list(pipeline: string, { limit, cursor }: z.output<typeof BackfillsQuery>) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.pages.backfills(pipeline, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(rows, limit, presented, ({ id }) => id);
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

function idOf(pipeline: string, key: string): string {
  return `bf-${createHash('sha256').update(`${pipeline} ${key}`).digest('hex').slice(0, 24)}`;
}

/** What of the row its request said. */
function requestOf({
  state: _,
  reason: _reason,
  cursor: _cursor,
  skipped: _skipped,
  progress: _progress,
  createdAt: _at,
  endedAt: _end,
  ...row
}: BackfillRow): NewRow {
  return row;
}

/** Without what only the feeder needs. */
function presented({ cursor: _, ...row }: BackfillRow) {
  return row;
}
