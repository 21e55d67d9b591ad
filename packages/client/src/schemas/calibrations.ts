import { z } from 'zod';
import { PipelineName, Timestamp, VersionName } from './common.js';

/** Of the instance, MB. Fewer sizes than three do not tell how a function slows down as memory gets scarce. */
const MemoryMb = z.int().min(64).max(10_240);

export const NewCalibration = z
  .strictObject({
    memoryMb: z
      .array(MemoryMb)
      .min(3, 'give at least three sizes: fewer do not tell how a function slows down as memory gets scarce')
      .max(8)
      .refine((sizes) => new Set(sizes).size === sizes.length, 'name each size once')
      .default([128, 512, 1024]),
    /** Whose release is measured; default: the stable one. */
    version: VersionName.exactOptional(),
  })
  .meta({ id: 'NewCalibration' });
export type NewCalibration = z.input<typeof NewCalibration>;

const Measured = z.object({
  function: z.string(),
  memoryMb: z.int(),
  /** 0: with so little memory the function does not run. */
  invocations: z.int(),
  /** Median over the larger batches. */
  cpuMsPerRecord: z.number().exactOptional(),
  peakMemoryMb: z.number().exactOptional(),
});

export const Calibration = z
  .object({
    id: z.string(),
    pipeline: PipelineName,
    state: z.enum(['running', 'completed', 'failed']),
    startedAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
    failure: z.object({ code: z.string(), message: z.string() }).exactOptional(),
    report: z
      .object({
        pipeline: PipelineName,
        version: VersionName,
        /** Recorded inputs that were used. */
        records: z.int(),
        batchSizes: z.array(z.int()),
        measured: z.array(Measured),
        /** Functions that touch what is outside: answered from recordings, and measured while they live. */
        notMeasured: z.array(z.string()),
      })
      .exactOptional(),
  })
  .meta({ id: 'Calibration' });
export type Calibration = z.infer<typeof Calibration>;
