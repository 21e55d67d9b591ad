import type { Fields } from '../json.js';
import type { AnyPipeline, InputOf, OutputOf } from '../pipeline.js';
import type { Outcome, RecordState } from '../record-state.js';
import { admitRecord } from '../runtime/admit-record.js';
import type { RunOptions } from '../runtime/contract.js';
import { Memo } from '../runtime/memo.js';
import { outcomeOf } from '../runtime/outcome.js';
import type { PipelineSpec } from '../spec.js';
import { specOf } from '../spec-of.js';
import { resourcesFrom, type Fake } from './fake.js';
import { runTopology, type TestTopology } from './run-topology.js';
import { assertSameOutcomes } from './same-outcomes.js';

export type OutcomeOf<P> =
  | { readonly state: 'completed'; readonly key: string; readonly output: OutputOf<P> }
  | Extract<Outcome, { readonly state: 'filtered' | 'dead' }>;

export interface TestOptions {
  /** One for each resource that the pipeline uses; a function makes fresh ones for every run of `batchSizes`. */
  readonly fakes?: readonly Fake[] | (() => readonly Fake[]);
  /** Records per batch (default: all at once). */
  readonly batchSize?: BatchSize;
  /** Runs once per size, and throws when the outcomes differ. */
  readonly batchSizes?: readonly [BatchSize, ...BatchSize[]];
  /** Stages to run in, such as those of a version; default: every call in the order written, fused. */
  readonly topology?: TestTopology;
  /** `now` of every handler, an ISO time (default 2026-01-01T00:00:00.000Z). */
  readonly now?: string;
  readonly log?: RunOptions['log'];
}
export type BatchSize = number | 'all';

/**
 * Runs a pipeline in this process, without Temporal, Postgres or a clock, through the runtime that production uses: a handler sees only
 * its declared fields, frozen; answers are checked by value; a bad record stops no other. Answers the outcomes in the order of `records`.
 * What would be tried again later is tried again at once. Throws when a fake is missing, a record is no input of the pipeline, or two
 * records have the same key.
 */
export async function testPipeline<P extends AnyPipeline>(
  pipeline: P,
  records: readonly InputOf<P>[],
  options: TestOptions = {},
): Promise<OutcomeOf<P>[]> {
  const { batchSize = 'all', batchSizes = [batchSize], now = '2026-01-01T00:00:00.000Z' } = options;
  const spec = specOf(pipeline);
  const admitted = admitAll(pipeline, records, now);
  const runs: { readonly size: BatchSize; readonly outcomes: readonly Outcome[] }[] = [];
  for (const size of batchSizes) runs.push({ size, outcomes: await runOnce(pipeline, spec, admitted, size, options) });
  assertSameOutcomes(pipeline.name, runs);
  return [...(runs[0]?.outcomes ?? [])] as OutcomeOf<P>[];
}

async function runOnce(
  pipeline: AnyPipeline,
  spec: PipelineSpec,
  admitted: readonly RecordState[],
  size: BatchSize,
  { fakes = [], topology, log }: TestOptions,
): Promise<Outcome[]> {
  const options: RunOptions = {
    resource: resourcesFrom(spec, typeof fakes === 'function' ? fakes() : fakes),
    idempotencyScope: `${pipeline.name}/test`,
    final: false,
    strict: true,
    signal: new AbortController().signal,
    log: log ?? (() => {}),
    progress: () => {},
    memo: new Memo(),
    clock: { now: () => performance.now(), cpu: () => performance.now() },
  };
  const outcomes: Outcome[] = [];
  for (const batch of batches(admitted, size)) {
    const ended = await runTopology(pipeline, spec, topology, batch, options);
    outcomes.push(...ended.map((state) => outcomeOf(spec, state)));
  }
  return outcomes;
}

function admitAll(pipeline: AnyPipeline, records: readonly unknown[], arrivedAt: string): RecordState[] {
  const positions = new Map<string, number>();
  return records.map((record, index) => {
    const admission = admitRecord(pipeline, record);
    if (!admission.ok) throw new Error(`record ${index} is no input of '${pipeline.name}': ${admission.problems.join('; ')}`);
    const { key, fields } = admission;
    const other = positions.get(key);
    if (other !== undefined)
      throw new Error(
        `records ${other} and ${index} have the same key '${key}', so they are the same record; give them different values of '${pipeline.key}'`,
      );
    positions.set(key, index);
    return { index, key, arrivedAt, fields: fields as Fields };
  });
}

function batches<T>(all: readonly T[], size: BatchSize): T[][] {
  const length = size === 'all' ? Math.max(1, all.length) : size;
  if (!Number.isInteger(length) || length < 1)
    throw new Error(`${String(size)} is no batch size; use a whole number greater than zero, or 'all'`);
  return Array.from({ length: Math.ceil(all.length / length) }, (_, i) => all.slice(i * length, (i + 1) * length));
}
