import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OptimizationQuestion, OptimizationsQuery } from '@autoflow/client/schemas';
import { type By, pageOf, ProblemError } from '@autoflow/http';
import type { OptimizationRow, Store } from '@autoflow/store';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { notThere } from '../versions/versions.service.js';
import { OPTIMIZATION_RUNS, type OptimizationRuns, STORE } from '../ports.js';

@Injectable()
export class OptimizationsService {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(OPTIMIZATION_RUNS) private readonly runs: OptimizationRuns,
  ) {}

  /** The row is committed before the run is started; where Temporal does not answer, it ends as `failed` and says so. */
  async start(pipeline: string, { reason, since, dryRun = false, ...asked }: z.output<typeof OptimizationQuestion>, by: By) {
    await findPipeline(this.store, pipeline);
    const { version } = asked;
    if (version !== undefined && (await this.store.definitions.version(pipeline, version)) === undefined)
      throw notThere('/version', `${pipeline} has no version ${version}`);
    const id = `opt-${randomBytes(6).toString('hex')}`;
    const request = { ...asked, dryRun, ...(since !== undefined && { sinceMs: since }) };
    const row = await this.store.optimizations.replaceLost(
      { id, pipeline, request },
      (other) => this.runs.isRunning(other),
      by(reason ?? 'asked for over the API'),
    );
    await this.runs.start({ optimization: id, pipeline, request, by: 'person' }).catch(async (error: unknown) => {
      await this.store.optimizations.close(
        id,
        { state: 'failed', reason: 'Temporal did not answer when it was to start.' },
        by('not started'),
      );
      throw error;
    });
    return row;
  }

  async list(pipeline: string, { limit, cursor }: z.output<typeof OptimizationsQuery>) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.optimizations.page(pipeline, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(
      rows,
      limit,
      (row) => row,
      ({ id }) => id,
    );
  }

  /** With what its steps have found out so far. */
  async show(pipeline: string, id: string) {
    const row = await this.find(pipeline, id);
    const document = (step: OptimizationRow['decisions'][number]['step']) => this.store.optimizations.document(id, step);
    const [gathered, fitted, found, allocated] = (await Promise.all([
      document('gather'),
      document('fit'),
      document('propose'),
      document('allocate'),
    ])) as ({ readonly [name: string]: unknown } | undefined)[];
    return {
      ...row,
      ...(gathered && { ratePerSecond: gathered['ratePerSecond'], measured: gathered['measured'] }),
      ...(fitted && { error: fitted['error'], saturated: fitted['saturated'], notes: fitted['notes'] }),
      ...(found && { found }),
      ...(allocated && { allocated }),
    };
  }

  /** First the row: no step begins any more; then the run, with what it is computing. */
  async cancel(pipeline: string, id: string, by: ReturnType<By>) {
    await this.find(pipeline, id);
    const row = await this.store.optimizations.close(id, { state: 'cancelled', reason: by.reason }, by);
    await this.runs.cancel(id);
    return row;
  }

  private async find(pipeline: string, id: string): Promise<OptimizationRow> {
    await findPipeline(this.store, pipeline);
    const row = await this.store.optimizations.get(id);
    if (row?.pipeline !== pipeline)
      throw new ProblemError('OPTIMIZATION_UNKNOWN', `${pipeline} has no optimization ${JSON.stringify(id)}.`);
    return row;
  }
}
