import { cpuShare, fits, memoryPressure, type HostModel } from '../model/host-model.js';
import { PlanError } from '../model/plan-error.js';
import type { PlannedStage } from '../model/plan-model.js';
import { cpuMs, ioMs, noiseCv, workingSetMb } from '../model/stage-model.js';
import { lognormalSigma } from './noise.js';

/** The equations of one stage at one memory size, by number of records: an event looks them up. */
export interface StageTables {
  readonly memoryMb: number;
  readonly share: number;
  readonly cpuMs: Float64Array;
  readonly ioMs: Float64Array;
  readonly sigma: Float64Array;
  readonly workingSetMb: Float64Array;
}

/** For 0 to `records` records. Throws a `PlanError` where the working set of so many does not fit. */
export function stageTables(stage: PlannedStage, memoryMb: number, records: number, host: HostModel): StageTables {
  const most = workingSetMb(stage, records);
  if (!(memoryMb > 0) || !fits(most, memoryMb))
    throw new PlanError(
      'MEMORY_TOO_SMALL',
      `${stage.name} needs ${most.toFixed(0)} MB for ${records} records, which does not fit ${memoryMb} MB. Give it more memory or smaller batches.`,
    );
  const tabulated = (of: (n: number) => number): Float64Array => Float64Array.from({ length: records + 1 }, (_, n) => of(n));
  return {
    memoryMb,
    share: cpuShare(host, memoryMb),
    cpuMs: tabulated((n) => cpuMs(stage, n) * memoryPressure(host, workingSetMb(stage, n), memoryMb)),
    ioMs: tabulated((n) => ioMs(stage, n)),
    sigma: tabulated((n) => lognormalSigma(noiseCv(stage, n))),
    workingSetMb: tabulated((n) => workingSetMb(stage, n)),
  };
}
