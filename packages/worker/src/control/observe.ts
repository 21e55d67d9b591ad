import type { ClaimedControl, ControlStepRow, KeptTick, MeasuredInterval, Store } from '@autoflow/store';
import type { Subject } from './subject.js';
import { tickOf } from './tick.js';

/** Measurements are written within so long after what they tell of. */
const LAG_MS = 1_500;
/** Function hosts say what they have every three seconds. */
const SILENT_MS = 15_000;
/** So many batches that end without one invocation being told of, and such a share of them, mean that measurements are missing: of all hosts, or of one. */
const UNTOLD = 3;
const UNTOLD_SHARE = 0.1;
/** Of the interval: steps nearer to each other are one, those further apart have a gap between them. */
const TOO_SOON = 0.5;
const GAP = 2.5;
/** A step that is repeated waits once or twice; each time an interval should have passed by the next one. */
const MOST_WAITS = 2;

/** `tick`: a new interval. `stale`: there is none that could be trusted. `wait`: not yet. */
export type Seen =
  | { readonly kind: 'tick'; readonly at: Date; readonly kept: KeptTick }
  | { readonly kind: 'stale'; readonly why: string }
  | { readonly kind: 'wait'; readonly ms: number };

/** What happened since the latest step, told as the twin tells it. */
export async function observe(
  { version: { pipeline, name: version, topology }, stages, pipeline: controlled, longestMs, allocation }: Subject,
  steps: readonly ControlStepRow[],
  { now, state }: ClaimedControl,
  { control }: Pick<Store, 'control'>,
): Promise<Seen> {
  const { intervalMs, sloMs } = controlled;
  const last = steps.at(-1);
  const to = new Date(now.getTime() - LAG_MS);
  const passedMs = last === undefined ? intervalMs : to.getTime() - last.at.getTime();
  if (last !== undefined && last.at > now)
    return { kind: 'stale', why: 'the clock of the database has gone back; what was decided later than now is forgotten' };
  const isStill = passedMs < TOO_SOON * intervalMs && (state?.waits ?? 0) >= MOST_WAITS;
  if (isStill) return { kind: 'stale', why: 'the clock of the database has not moved on since the latest step' };
  if (passedMs < TOO_SOON * intervalMs) return { kind: 'wait', ms: Math.min(intervalMs, intervalMs - passedMs) };
  const anew = last === undefined || passedMs > GAP * intervalMs;
  const from = anew ? new Date(to.getTime() - intervalMs) : last.at;
  const sized = stages.map(({ name, after, partitions }) => ({ name, after, partitions, memoryMb: allocation.stages[name]!.memoryMb }));
  const measured = await control.measure({ pipeline, version, from, to, stages: sized, sloMs, longestMs });
  const why = untrusted(measured, now);
  if (why !== undefined) return { kind: 'stale', why };
  const before = anew ? undefined : last.tick;
  const subject = { stages, pipeline: controlled, allocation, batchRecords: topology.batch.records };
  return { kind: 'tick', at: to, kept: tickOf(subject, measured, before, last?.tick.recordsPerBatch) };
}

function untrusted({ heardAt, closed, untold }: MeasuredInterval, now: Date): string | undefined {
  if (heardAt === undefined) return 'no function host has told yet what it has';
  const silentMs = now.getTime() - heardAt.getTime();
  if (silentMs > SILENT_MS) return `no function host has told what it has for ${Math.round(silentMs / 1000)} s`;
  if (untold >= UNTOLD && untold >= UNTOLD_SHARE * closed)
    return `of ${untold} of the first ${closed} executions that ended, not one invocation was measured`;
  return undefined;
}
