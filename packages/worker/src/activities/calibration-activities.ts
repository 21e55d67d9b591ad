/** Calibration: what functions take at several memory sizes, over recorded inputs, as measurements that the fit of the twin uses. */
import type { Replay, Replayed, ReplayedInvocation } from '@autoflow/function-host';
import type { InvocationRow, Store } from '@autoflow/store';
import { asWritten, type CalibrationActivities, type CalibrationReport, type CalibrationRequest } from '@autoflow/topology';
import { atActivityBoundary, refuse } from '../errors.js';
import { idOf, recordedRun } from '../replay/recorded-run.js';
import type { ResolvedVersion, Versions } from '../versions.js';
import { heartbeating } from './heartbeating.js';

export interface CalibrationPorts {
  readonly store: Pick<Store, 'recordings' | 'metering'>;
  readonly versions: Versions;
  readonly replay: Replay;
  readonly host: string;
}

/** Of each batch size, at each memory size: with three sizes enough for the fit of a function. */
const ROUNDS = 5;
const LARGEST_BATCH = 50;
/** Fewer inputs are no sample of what comes. */
const FEWEST_RECORDS = 5;

export function calibrationActivities(ports: CalibrationPorts): CalibrationActivities {
  return {
    calibrate: atActivityBoundary((request) => heartbeating((signal) => calibrate(request, ports, signal))),
  };
}

async function calibrate(request: CalibrationRequest, ports: CalibrationPorts, signal: AbortSignal): Promise<CalibrationReport> {
  const { pipeline, memoryMb } = request;
  const { store, versions, replay } = ports;
  const resolved = await versions.resolve(pipeline, request.version);
  const own = await replay.release(resolved.release.hash, pipeline);
  const records = await store.recordings.sample({ pipeline, limit: LARGEST_BATCH * 4 });
  if (records.length < FEWEST_RECORDS) throw tooLittle(pipeline, records.length);
  const { answers } = await recordedRun(store, records, own, own.functions);
  const topology = asWritten(own.spec);
  const large = Math.max(2, Math.min(LARGEST_BATCH, records.length));
  // The first batch warms the instance up: its rows are left out, as it started cold.
  const batchSizes = [large, ...Array.from({ length: ROUNDS }, () => [large, 1]).flat()];
  const needed = batchSizes.reduce((sum, size) => sum + size, 0);
  const inputs = Array.from({ length: needed }, (_, i) => records[i % records.length]!).map((record) => ({ ...record, id: idOf(record) }));
  const pure = new Set(own.spec.nodes.filter(({ effect }) => effect === 'pure').map(({ id }) => id));
  const rows: InvocationRow[] = [];
  for (const size of memoryMb) {
    const replayed = await replay.run({
      ...{ pipeline, release: resolved.release.hash, topology, records: inputs, answers, batchSizes, strict: false, signal },
      memoryMb: Object.fromEntries(topology.stages.map(({ name }) => [name, [size]])),
    });
    const found = measuredRows(replayed, pure, request, resolved, ports);
    await store.metering.writeCalibrations(found);
    rows.push(...found);
  }
  return {
    pipeline,
    version: resolved.version.name,
    records: records.length,
    batchSizes: [1, large],
    measured: [...pure].flatMap((node) => memoryMb.map((size) => figuresOf(node, size, rows, large))),
    notMeasured: own.spec.nodes.filter(({ id }) => !pure.has(id)).map(({ id }) => id),
  };
}

function tooLittle(pipeline: string, records: number): Error {
  return refuse(
    'NOT_RECORDED',
    `${records} inputs of '${pipeline}' are recorded, and ${FEWEST_RECORDS} are the least. Let more records run, or record a larger share of them (AUTOFLOW_RECORD_SHARE of the worker).`,
  );
}

/** Warm invocations of the functions that really ran. As written, each stage is one function. */
function measuredRows(
  { invocations }: Replayed,
  pure: ReadonlySet<string>,
  request: CalibrationRequest,
  resolved: ResolvedVersion,
  ports: CalibrationPorts,
): InvocationRow[] {
  return invocations.flatMap((invocation, i) => {
    const [span] = invocation.usage.spans;
    const isMeasured = span !== undefined && pure.has(span.node) && span.recordsIn > 0 && invocation.coldStartMs === 0;
    return isMeasured ? [rowOf(invocation, `${invocation.memoryMb}/${i}`, request, resolved, ports)] : [];
  });
}

function rowOf(
  { stage, memoryMb, startedAt, durationMs, usage }: ReplayedInvocation,
  activityId: string,
  { id, pipeline }: CalibrationRequest,
  { version, release }: ResolvedVersion,
  { host, replay }: CalibrationPorts,
): InvocationRow {
  return {
    ...{
      runId: id,
      activityId,
      attempt: 1,
      executionId: `calibration/${id}`,
      pipeline,
      release: release.hash,
      version: version.name,
      stage,
    },
    ...{ scope: 'calibration', batchId: id, host, startedAt, queueMs: 0, gateMs: 0, cold: false, coldStartMs: 0, durationMs },
    ...{ memoryMb, enforcement: replay.enforcement, outcome: 'ok', costUsd: 0 },
    ...usage,
  };
}

function figuresOf(node: string, memoryMb: number, rows: readonly InvocationRow[], large: number): CalibrationReport['measured'][number] {
  const own = rows.filter((row) => row.memoryMb === memoryMb && row.spans[0]?.node === node);
  if (own.length === 0) return { function: node, memoryMb, invocations: 0 };
  const larger = own.filter(({ recordsIn }) => recordsIn === large);
  const costs = (larger.length > 0 ? larger : own).map(({ spans: [span] }) => span!.cpuMs / span!.recordsIn).sort((a, b) => a - b);
  return {
    ...{ function: node, memoryMb, invocations: own.length, cpuMsPerRecord: costs[Math.floor(costs.length / 2)]! },
    peakMemoryMb: Math.max(...own.map(({ peakMemoryMb }) => peakMemoryMb)),
  };
}
