import { Inject, Injectable } from '@nestjs/common';
import type { ClampStage, SetAllocation, SetStageAllocation } from '@autoflow/client/schemas';
import { type By, ProblemError } from '@autoflow/http';
import type { AllocationRow, Store, VersionRow } from '@autoflow/store';
import { type Allocation, clampAllocation, clampedEnvelope, clampProblems, jsonPointer, validateAllocation } from '@autoflow/topology';
import type { z } from 'zod';
import { findPipeline, findRelease, findVersion } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';
import { allocationOf, refuseAny, refused } from '../versions/plan.js';

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
    mustHave(version, stages, stage);
    const { reason, ...changed } = body;
    // The other stages are those of `current`, so nothing but that revision may be replaced, even with `If-Match: *`.
    return this.change(version, { ...stages, [stage]: { ...stages[stage]!, ...changed } }, inStage(stage), revision ?? current, by(reason));
  }

  /** Moves what is outside, the stages that share a resource with it included, in the same step. */
  async clamp(
    pipeline: string,
    wanted: string | undefined,
    stage: string,
    { reason, ...clamp }: z.output<typeof ClampStage>,
    revision: number | undefined,
    by: By,
  ) {
    const version = await this.version(pipeline, wanted);
    const { stages, clamps: before, revision: current } = (await this.store.definitions.allocation(pipeline, version.name))!;
    mustHave(version, stages, stage);
    const { name, topology, envelope, release } = version;
    const problems = clampProblems(envelope[stage]!, clamp);
    if (problems.length > 0) throw refused('CLAMP_INVALID', problems, '');
    const { [stage]: _, ...others } = before;
    const clamps = Object.keys(clamp).length === 0 ? others : { ...others, [stage]: clamp };
    const { spec } = await findRelease(this.store, pipeline, release);
    const narrowed = clampedEnvelope(envelope, clamps);
    // Where the clamp's least asks for more of a resource than there is, nothing inside is permitted.
    const allocation = clampAllocation(spec, topology, narrowed, stages);
    refuseAny('CLAMP_INVALID', validateAllocation(spec, topology, narrowed, allocation), () => '');
    return this.presented(
      version,
      await this.store.definitions.setAllocation({
        pipeline,
        version: name,
        stages: allocation,
        clamps,
        revision: revision ?? current,
        by: by(reason),
      }),
    );
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
    const { clamps } = (await this.store.definitions.allocation(pipeline, name))!;
    const allocation: Allocation = allocationOf(spec, topology, clampedEnvelope(envelope, clamps), stages, at);
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

  private async presented({ pipeline, name, envelope }: VersionRow, { revision, stages, clamps, actor, reason, updatedAt }: AllocationRow) {
    const acknowledged = (await this.store.hosts.acknowledged(pipeline))
      .filter(({ version }) => version === name)
      .map(({ version: _, ...pool }) => pool);
    return { version: name, revision, stages, envelope, clamps, acknowledged, actor, reason, updatedAt };
  }
}

function mustHave({ pipeline, name }: VersionRow, stages: Allocation, stage: string): void {
  if (!Object.hasOwn(stages, stage))
    throw new ProblemError(
      'STAGE_UNKNOWN',
      `${pipeline} ${name} has no stage ${JSON.stringify(stage)}; it has ${Object.keys(stages).join(', ')}.`,
    );
}

/** The body of one stage is not the whole allocation: what is said of the stage is at its top, what is said of others is about all of it. */
function inStage(stage: string): (pointer: string) => string {
  const prefix = jsonPointer(stage);
  return (pointer) => (pointer.startsWith(`${prefix}/`) ? pointer.slice(prefix.length) : '');
}
