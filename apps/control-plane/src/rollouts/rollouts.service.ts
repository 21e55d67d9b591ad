import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { NewRollout, RolloutsQuery } from '@autoflow/client/schemas';
import { type By, pageOf, ProblemError } from '@autoflow/http';
import type { Log } from '@autoflow/store';
import { LOG } from '@autoflow/http';
import type { RolloutRow, Store } from '@autoflow/store';
import { ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import type { z } from 'zod';
import { findPipeline, findVersion } from '../pipelines/lookup.js';
import { takeBack } from '../pipelines/take-back.js';
import { ROLLOUT_RUNS, type RolloutRuns, STORE } from '../ports.js';

const EVALUATIONS = 200;
const ENDS = { abort: 'aborted', rollBack: 'rolled-back' } as const;

@Injectable()
export class RolloutsService {
  constructor(
    @Inject(STORE) private readonly store: Store,
    @Inject(ROLLOUT_RUNS) private readonly runs: RolloutRuns,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** What is committed is going to run: where Temporal does not answer now, a control worker starts it when it does. */
  async start(pipeline: string, { version, reason, ...asked }: z.output<typeof NewRollout>, by: By) {
    await findPipeline(this.store, pipeline);
    await findVersion(this.store, pipeline, version);
    const { objective } = (await this.store.settings.get(pipeline))!;
    const settings = settingsOf(asked, objective?.minimise);
    const id = `ro-${randomBytes(6).toString('hex')}`;
    const row = await this.store.rollouts.create({ id, pipeline, version, own: false, settings }, by(reason ?? 'asked for over the API'));
    await this.runs.start(pipeline, id).catch((error: unknown) => {
      this.log('warn', 'a rollout waits for Temporal', { rollout: id, error: String(error) });
    });
    return presented(row);
  }

  async list(pipeline: string, { limit, cursor }: z.output<typeof RolloutsQuery>) {
    await findPipeline(this.store, pipeline);
    const rows = await this.store.rollouts.list(pipeline, { limit, ...(cursor !== undefined && { after: cursor }) });
    return pageOf(rows, limit, presented, ({ id }) => id);
  }

  async show(pipeline: string, id: string) {
    const row = await this.find(pipeline, id);
    return { ...presented(row), evaluations: await this.store.rollouts.evaluations(id, EVALUATIONS) };
  }

  async pause(pipeline: string, id: string, paused: boolean, by: ReturnType<By>) {
    await this.mustRun(pipeline, id);
    return presented(await this.store.rollouts.pause(id, paused, by));
  }

  async abort(pipeline: string, id: string, by: ReturnType<By>) {
    return presented(await this.end(pipeline, id, 'abort', by));
  }

  /** `takesBack`: also what is under way on the candidate. */
  async rollBack(pipeline: string, id: string, takesBack: boolean, by: ReturnType<By>) {
    const row = await this.end(pipeline, id, 'rollBack', by);
    if (!takesBack) return presented(row);
    const { release } = await findVersion(this.store, pipeline, row.version);
    return { ...presented(row), inFlight: await takeBack(this.store, { pipeline, version: row.version, release }) };
  }

  /**
   * Its traffic is taken back when this answers. The workflow does it, with what the candidate has done so far; where it does not answer, it is done without.
   * A promotion that was under way, and came first, is undone.
   */
  private async end(pipeline: string, id: string, how: keyof typeof ENDS, { actor, reason, ...by }: ReturnType<By>): Promise<RolloutRow> {
    await this.mustRun(pipeline, id);
    const wanted = { id, outcome: ENDS[how], by: { actor, reason, ...by } };
    await this.runs.tell(pipeline, how, { rollout: id, actor, reason }).catch(() => this.store.rollouts.end(wanted));
    const found = await this.find(pipeline, id);
    const row = found.state === 'promoted' ? await this.store.rollouts.undoPromotion(wanted) : found;
    if (row.state === 'promoted' || row.state === 'superseded') throw await this.otherwise(row);
    return row;
  }

  async promote(pipeline: string, id: string, { actor, reason }: ReturnType<By>) {
    const { state } = await this.mustRun(pipeline, id);
    if (state !== 'canary') throw new ProblemError('ROLLOUT_NOT_IN_CANARY', `${id} is ${state}.`);
    await this.runs.tell(pipeline, 'promote', { rollout: id, actor, reason });
    const row = await this.find(pipeline, id);
    if (row.state !== 'promoted') throw await this.otherwise(row);
    return presented(row);
  }

  private async mustRun(pipeline: string, id: string): Promise<RolloutRow> {
    const row = await this.find(pipeline, id);
    if (row.endedAt === undefined) return row;
    throw await this.otherwise(row);
  }

  /** It has not ended by this request, which has changed nothing: what has the traffic instead. */
  private async otherwise({ id, pipeline, version, baseline, state, outcome }: RolloutRow): Promise<ProblemError> {
    const { stable } = await findPipeline(this.store, pipeline);
    const back = stable.version === version ? ` To go back: autoflow rollback ${pipeline} --to ${baseline} --reason WHY` : '';
    return new ProblemError('ROLLOUT_ENDED', `${id} is ${state}: ${outcome}. ${stable.version} is stable.${back}`);
  }

  private async find(pipeline: string, id: string): Promise<RolloutRow> {
    await findPipeline(this.store, pipeline);
    const row = await this.store.rollouts.get(id);
    if (row?.pipeline !== pipeline) throw new ProblemError('ROLLOUT_UNKNOWN', `${pipeline} has no rollout ${id}.`);
    return row;
  }
}

function settingsOf(
  { skipShadow = false, margins, periodMs = ROLLOUT_DEFAULTS.periodMs, ...asked }: Omit<z.output<typeof NewRollout>, 'version' | 'reason'>,
  metric: RolloutSettings['metric'] = ROLLOUT_DEFAULTS.metric,
): RolloutSettings {
  return {
    ...ROLLOUT_DEFAULTS,
    metric,
    warmupMs: Math.round(periodMs / 2),
    ...asked,
    periodMs,
    blockMs: Math.max(100, Math.round(periodMs / 12)),
    margins: { ...ROLLOUT_DEFAULTS.margins, ...margins },
    ...(skipShadow && { shadowRecords: 0 }),
  };
}

function presented({ heldMs: _held, provedAt: _proved, holdout: _holdout, steps, ...row }: RolloutRow) {
  return {
    ...row,
    steps: steps.map(({ percent, from, to }) => ({ percent, from: new Date(from), ...(to !== undefined && { to: new Date(to) }) })),
  };
}
