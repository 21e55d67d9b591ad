import type { PipelineSpec } from '@autoflow/pipeline';
import type { Envelope } from '@autoflow/topology';
import {
  fit,
  modelsFor,
  whatIf,
  type FitProblem,
  type HostModel,
  type Measured,
  type MeteredInvocation,
  type RunnablePlan,
  type WhatIfAnswer,
} from '@autoflow/twin';
import type { Objective, Problem } from './problem.js';
import { propose, type Proposed, type ProposeOptions } from './propose.js';

export interface MeasuredPipeline {
  readonly spec: PipelineSpec;
  readonly rows: readonly MeteredInvocation[];
  readonly host: HostModel;
  readonly running: RunnablePlan & { readonly envelope: Envelope; readonly measured: Measured };
  readonly ratePerSecond: number;
  readonly objective: Objective;
  readonly limits: Problem['limits'];
  readonly seed: number;
}
export interface ProposedFromMeasurements {
  readonly proposed: Proposed;
  /** The twin's own, on the version that runs: (predicted − measured) / measured. */
  readonly error: WhatIfAnswer['error'];
  /** What the answer leans on without having been measured. */
  readonly notes: readonly FitProblem[];
}

/**
 * What to run instead, from measurements alone. Every function must have been measured at several batch sizes, as plans of any batch size are
 * compared; where one was not, `missing` says what is, and nothing is proposed.
 */
export async function proposeFrom(
  measured: MeasuredPipeline,
  options: ProposeOptions,
): Promise<ProposedFromMeasurements | { readonly missing: readonly FitProblem[] }> {
  const { spec, rows, running, ratePerSecond, objective, limits, seed } = measured;
  const fitted = fit(rows, measured.host);
  const { models, missing } = modelsFor(
    fitted,
    spec.nodes.map(({ id }) => id),
    ANY_BATCH,
  );
  if (missing.length > 0) return { missing: [...missing, ...fitted.problems.filter((problem) => problem.function === undefined)] };
  const now = whatIf({ ...measured, asked: running, ratePerSecond: running.measured.throughput });
  if ('missing' in now) return now;
  const { host, recordBytes } = fitted;
  const problem = { spec, start: running, models, host, recordBytes, ratePerSecond, objective, limits, seed };
  return { proposed: await propose(problem, options), error: now.answer.error, notes: now.answer.notes };
}

/** No batch has so many records, so only a model that holds for any holds for it. */
const ANY_BATCH = Number.POSITIVE_INFINITY;
