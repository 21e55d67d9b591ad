import type { PipelineSpec } from '@autoflow/pipeline';
import {
  backlog,
  driftOf,
  fit,
  LOCAL_HOST,
  modelsFor,
  probeShareOf,
  planModel,
  simulate,
  whatIf,
  type Fit,
  type FitProblem,
  type FunctionModels,
  type HostModel,
  type MeteredInvocation,
  type RunningPlan,
  type Simulation,
  type WhatIfAnswer,
} from '@autoflow/twin';

/** What is known of a live pipeline. Plain data, so that it can be handed to a process. */
export interface MeasuredPipeline {
  readonly spec: PipelineSpec;
  readonly rows: readonly MeteredInvocation[];
  readonly host: HostModel;
  readonly running: RunningPlan;
}

/** The models of its functions, whatever the batch size, and how far the twin that they make can be trusted. */
export interface FittedPipeline {
  readonly models: FunctionModels;
  readonly host: HostModel;
  /** Of an input record. */
  readonly recordBytes: number;
  /** See `probeShareOf`: they go on whatever is proposed. Absent in what older ones have written. */
  readonly probeShare?: number;
  /** The twin's own, on the version that runs: (predicted − measured) / measured. */
  readonly error: WhatIfAnswer['error'];
  /** It was measured near the most that it can do, where latency is that of whoever waits outside, which the twin does not know. */
  readonly saturated: boolean;
  /** What the answer leans on without having been measured. */
  readonly notes: readonly FitProblem[];
}

export type Fitted =
  | { readonly fitted: FittedPipeline }
  | {
      readonly refused: 'NOT_IDENTIFIABLE' | 'CONTRADICTORY' | 'DRIFTING' | 'UNFIT';
      readonly reasons: readonly string[];
      readonly error?: FittedPipeline['error'];
    };

/**
 * A twin that misses what runs by more than this proposes nothing. Shares of what was measured, below and above it: a p95 of the double is too much, and
 * so is one of a quarter.
 */
export const UNFIT = { costPer1000: [0.25, 0.25], throughput: [0.3, 0.3], p95: [0.75, 1] } as const;
/** Of what the version could do: above it, it was measured at saturation. */
const SATURATED = 0.7;
/** Of a p95 that is more than the double of what the twin says, most was waiting. */
const WAITED = -0.5;
/** No batch has so many records, so only a model that holds for any holds for it. */
const ANY_BATCH = Number.POSITIVE_INFINITY;
const RECORDS = 1_000;
const BATCHES = 60;

/**
 * The twin of a pipeline, from its measurements alone, or why there is none: a function that was not measured, or with one batch size only; functions
 * or records that changed meanwhile; versions between which a function differs so much that a model of all is one of neither; a twin that misses the running version by more than `UNFIT`.
 */
export function fitPipeline(measured: MeasuredPipeline): Fitted {
  const { spec, rows, running } = measured;
  const found = fit(rows, measured.host);
  const { models, missing } = modelsFor(
    found,
    spec.nodes.map(({ id }) => id),
    ANY_BATCH,
  );
  if (missing.length > 0) return notIdentifiable([...missing, ...found.problems.filter((problem) => problem.function === undefined)]);
  const now = whatIf({ ...measured, asked: running, ratePerSecond: running.measured.throughput });
  if ('missing' in now) return notIdentifiable(now.missing);
  const drifts = driftOf(rows);
  if (drifts.length > 0) return { refused: 'DRIFTING', reasons: drifts.map(({ message }) => message) };
  const contradictory = contradictions(found, models, running.topology.batch.records);
  if (contradictory.length > 0) return { refused: 'CONTRADICTORY', reasons: contradictory.map(({ message }) => message) };
  const probeShare = probeShareOf(rows, running.version, running.topology);
  const most = fromBacklog(measured, found, models, probeShare);
  const { throughput, costPer1000 } = running.measured;
  const saturated = throughput > SATURATED * most.throughput;
  // Records waited: it did the most that it can. Else that is more than what it was given, by how much is not known.
  const waited = now.answer.error.p95 < WAITED;
  const error =
    saturated && waited
      ? {
          ...now.answer.error,
          throughput: most.throughput / throughput - 1,
          ...(costPer1000 && costPer1000.all > 0 && { costPer1000: most.costPer1000.all / costPer1000.all - 1 }),
        }
      : now.answer.error;
  const reasons = misses(error, saturated);
  if (reasons.length > 0) return { refused: 'UNFIT', reasons, error };
  const { host, recordBytes } = found;
  return { fitted: { models, host, recordBytes, probeShare, error, saturated, notes: now.answer.notes } };
}

/** Soft limits give every instance a whole core, whatever its memory. Temporal is on the same cores. */
export function hostOf(rows: readonly { readonly enforcement: string }[], cores: number): HostModel {
  const cpuFollowsMemory = rows.some(({ enforcement }) => enforcement !== 'soft');
  return { ...LOCAL_HOST, cores, cpuFollowsMemory, temporal: { ...LOCAL_HOST.temporal, servers: cores } };
}

function notIdentifiable(problems: readonly FitProblem[]): Fitted {
  return { refused: 'NOT_IDENTIFIABLE', reasons: [...new Set(problems.map(({ message }) => message))] };
}

/** Of functions whose time is some of the pipeline's: what hardly counts may differ by the noise of a clock. */
function contradictions({ problems }: Fit, models: FunctionModels, records: number): FitProblem[] {
  const time = ({ cpuFixedMs, cpuPerRecordMs, ioFixedMs, ioPerRecordMs }: FunctionModels[string]): number =>
    cpuFixedMs + ioFixedMs + records * (cpuPerRecordMs + ioPerRecordMs);
  const all = Object.values(models).reduce((sum, model) => sum + time(model), 0);
  return problems.filter(({ code, function: node }) => {
    const model = node === undefined ? undefined : models[node];
    return code === 'CONTRADICTORY' && model !== undefined && time(model) > COUNTS * all;
  });
}
const COUNTS = 0.05;

/** The most that the running version can do. */
function fromBacklog({ spec, running }: MeasuredPipeline, { host, recordBytes }: Fit, models: FunctionModels, probes: number): Simulation {
  const model = planModel({ spec, topology: running.topology, models, host, recordBytes });
  const arrivals = backlog(Math.max(RECORDS, BATCHES * model.batchRecords));
  return simulate(model, running.allocation, { arrivals, seed: 1, probes, openExecutions: 'fed' });
}

/** In what a twin with these errors may not be trusted. At saturation the latency that was measured is that of whoever waits outside. */
export function misses(error: Pick<FittedPipeline['error'], 'costPer1000' | 'throughput' | 'p95'>, saturated: boolean): string[] {
  const judged = [
    ['cost', error.costPer1000 ?? 0, UNFIT.costPer1000],
    ['throughput', error.throughput, UNFIT.throughput],
    ['p95', saturated ? 0 : error.p95, UNFIT.p95],
  ] as const;
  return judged
    .filter(([, missed, [below, above]]) => !(missed >= -below && missed <= above))
    .map(
      ([what, missed, [below, above]]) =>
        `The twin misses the ${what} of the running version by ${percent(missed)}, and −${percent(below)} to +${percent(above)} is what is trusted. Measure it longer, at a steady load.`,
    );
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
