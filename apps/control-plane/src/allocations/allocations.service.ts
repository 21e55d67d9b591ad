import { Inject, Injectable } from '@nestjs/common';
import type { SetAllocation, SetStageAllocation } from '@autoflow/client/schemas';
import { type By, ProblemError } from '@autoflow/http';
import type { AllocationRow, Store, VersionRow } from '@autoflow/store';
import { type Allocation, jsonPointer } from '@autoflow/topology';
import type { z } from 'zod';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { allocationOf } from '../versions/plan.js';

@Injectable()
export class AllocationsService {
  constructor(@Inject(STORE) private readonly store: Store) {}

  async show(pipeline: string, wanted: string | undefined) {
    const version = await this.version(pipeline, wanted);
    return this.presented(version, (await this.store.definitions.allocation(pipeline, version.name))!);
  }

  /** Hosts are told at once, and raise or lower their pools while they run. */
  async set(pipeline: string, wanted: string | undefined, body: z.output<typeof SetAllocation>, revision: number | undefined, by: By) {
    const version = await this.version(pipeline, wanted);
    return this.change(version, body.stages, '/stages', revision, by(body.reason));
  }

  async setStage(
    pipeline: string,
    wanted: string | undefined,
    stage: string,
    body: z.output<typeof SetStageAllocation>,
    revision: number | undefined,
    by: By,
  ) {
    const version = await this.version(pipeline, wanted);
    const { stages, revision: current } = (await this.store.definitions.allocation(pipeline, version.name))!;
    if (!Object.hasOwn(stages, stage))
      throw new ProblemError(
        'STAGE_UNKNOWN',
        `${pipeline} ${version.name} has no stage ${JSON.stringify(stage)}; it has ${Object.keys(stages).join(', ')}.`,
      );
    const { reason, ...changed } = body;
    // The other stages are those of `current`, so nothing but that revision may be replaced, even with `If-Match: *`.
    return this.change(version, { ...stages, [stage]: { ...stages[stage]!, ...changed } }, inStage(stage), revision ?? current, by(reason));
  }

  private async version(pipeline: string, wanted: string | undefined): Promise<VersionRow> {
    const { stable } = await findPipeline(this.store, pipeline);
    return findVersion(this.store, pipeline, wanted ?? stable.version);
  }

  private async change(
    version: VersionRow,
    stages: unknown,
    at: Parameters<typeof allocationOf>[4],
    revision: number | undefined,
    by: ReturnType<By>,
  ) {
    const { pipeline, name, topology, envelope, release } = version;
    const { spec } = await findRelease(this.store, pipeline, release);
    const allocation: Allocation = allocationOf(spec, topology, envelope, stages, at);
    return this.presented(
      version,
      await this.store.definitions.setAllocation({
        pipeline,
        version: name,
        stages: allocation,
        ...(revision !== undefined && { revision }),
        by,
      }),
    );
  }

  private async presented({ pipeline, name, envelope }: VersionRow, { revision, stages, actor, reason, updatedAt }: AllocationRow) {
    const acknowledged = (await this.store.hosts.acknowledged(pipeline))
      .filter(({ version }) => version === name)
      .map(({ version: _, ...pool }) => pool);
    return { version: name, revision, stages, envelope, acknowledged, actor, reason, updatedAt };
  }
}

/** The body of one stage is not the whole allocation: what is said of the stage is at its top, what is said of others is about all of it. */
function inStage(stage: string): (pointer: string) => string {
  const prefix = jsonPointer(stage);
  return (pointer) => (pointer.startsWith(`${prefix}/`) ? pointer.slice(prefix.length) : '');
}
