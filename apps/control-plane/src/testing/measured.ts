import type { InvocationRow, Store } from '@autoflow/store';
import { RELEASE } from './parcels.js';

/** As written, one stage per call. */
const STAGES = ['weigh', 'find-depot', 'is-heavy', 'book'];

/** What a stage did in an execution, both counted from 0; milliseconds. */
export interface Measured {
  readonly records: number;
  readonly durationMs: number;
  /** Of the invocation, and of its function. */
  readonly cpuMs: number;
  readonly functionCpuMs: number;
}

/** Invocations of so many executions of `parcels` one after the other, begun ten minutes ago. */
export function invocations(executions: number, measured: (execution: number, stage: number) => Measured): InvocationRow[] {
  const begin = Date.now() - 600_000;
  return Array.from({ length: executions }, (_, e) =>
    STAGES.map((stage, s): InvocationRow => {
      const { records, durationMs, cpuMs, functionCpuMs } = measured(e, s);
      const counts = { recordsIn: records, recordsOut: records, filtered: 0, dead: 0, retried: 0 };
      return {
        runId: `run-${e}`,
        activityId: `${s}`,
        attempt: 1,
        executionId: `e-${e}`,
        pipeline: 'parcels',
        release: RELEASE,
        version: 'v1',
        stage,
        scope: 'live',
        batchId: `b-${e}`,
        host: 'host-1',
        startedAt: new Date(begin + e * 1000 + s * 30),
        queueMs: 5,
        gateMs: 0,
        cold: false,
        coldStartMs: 0,
        durationMs,
        cpuMs,
        runQueueMs: 0,
        peakMemoryMb: 70,
        memoryMb: 1024,
        enforcement: 'soft',
        ...counts,
        bytesIn: 500 * records,
        bytesOut: 540 * records,
        outcome: 'ok',
        costUsd: 1e-6,
        spans: [{ node: stage, ...counts, wallMs: durationMs - 2, cpuMs: functionCpuMs }],
      };
    }),
  ).flat();
}

/** Batches of one record each with its outcome, as their executions would have left them. `agoMs`: when each record arrived, by its number. */
export async function settle({ ledger }: Pick<Store, 'ledger'>, executions: number, mark = '', agoMs = (_: number) => 200): Promise<void> {
  for (let e = 0; e < executions; e++) {
    const key = `p${mark}-${e}`;
    const fields = { id: key, grams: 2000, town: 'Delft' };
    await ledger.open({
      batch: {
        id: `b${mark}-${e}`,
        pipeline: 'parcels',
        version: 'v1',
        release: RELEASE,
        scope: 'live',
        executionId: `e${mark}-${e}`,
        ref: { ref: `file:${e}`, bytes: 500, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
        memoryMb: {},
      },
      records: [{ index: 0, key, arrivedAt: new Date(Date.now() - agoMs(e)).toISOString(), fields }],
      replace: false,
    });
    await ledger.close({
      batchId: `b${mark}-${e}`,
      outcomes: [{ key, state: 'completed', output: { id: key, booked: true } }],
      inputs: new Map(),
    });
  }
}
