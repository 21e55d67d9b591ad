import { Controller, Inject, Param, Query } from '@nestjs/common';
import { AllocationControl, ControlQuery } from '@autoflow/client/schemas';
import { Get } from '@autoflow/http';
import type { ControlStepRow, Store } from '@autoflow/store';
import { DEFAULT_CONTROL } from '@autoflow/topology/autonomy';
import type { z } from 'zod';
import { findPipeline } from '../pipelines/lookup.js';
import { STORE } from '../ports.js';

/** Whether and by whom the allocation of a pipeline is decided. Switched by the setting `control`. */
@Controller('v1/pipelines/:pipeline/allocations/control')
export class ControlController {
  constructor(@Inject(STORE) private readonly store: Store) {}

  @Get('', {
    summary: 'Who decides memory and instances, how agent and fallback stand, and the latest decisions with what was seen',
    access: 'viewer',
    answers: AllocationControl,
    problems: ['PIPELINE_UNKNOWN'],
  })
  async show(@Param('pipeline') pipeline: string, @Query({ schema: ControlQuery }) { decisions }: z.output<typeof ControlQuery>) {
    await findPipeline(this.store, pipeline);
    const [settings, control, steps] = await Promise.all([
      this.store.settings.get(pipeline),
      this.store.control.get(pipeline),
      this.store.control.latest(pipeline, decisions),
    ]);
    const setting = settings?.control ?? DEFAULT_CONTROL;
    const status = control?.state;
    return {
      pipeline,
      setting,
      mode: status?.mode ?? (setting.mode === 'off' ? 'off' : 'shadow'),
      why: status?.why ?? 'nothing was decided yet',
      running: control?.held ?? false,
      ...(status?.version !== undefined && { version: status.version }),
      agentStands: status?.agentStands ?? false,
      comparisons: status?.comparisons ?? [],
      decisions: steps.map(present),
      ...(control !== undefined && { updatedAt: control.updatedAt }),
    };
  }
}

function present({ at, version, tick: { tick, stages: names, waitingRecords }, decided: { stages, ...decided } }: ControlStepRow) {
  return {
    at,
    version,
    ...decided,
    arrived: tick.arrived,
    late: tick.late,
    waitingRecords,
    stages: Object.fromEntries(
      Object.entries(stages).map(([name, stage]) => {
        const { arrivals, served, queued, busyMs, provisionedMs } = tick.stages[names.indexOf(name)]!;
        return [name, { ...stage, seen: { arrivals, served, queued, busy: busyMs / Math.max(1, provisionedMs) } }];
      }),
    ),
  };
}
