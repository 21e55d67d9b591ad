import type { KeptTick, MeasuredInterval } from '@autoflow/store';
import type { ControlTick, StageTick } from '@autoflow/twin';
import type { Subject } from './subject.js';

/** What of a subject a tick is told of; `batchRecords` is what a batch holds at most. */
export interface Observable extends Pick<Subject, 'stages' | 'pipeline' | 'allocation'> {
  readonly batchRecords: number;
}

/**
 * An interval as the twin would show it: what came is what was served and what is there more than before. The backlog of a live pipeline waits
 * before its first stage, unassigned: each stage is shown it as work that is yet to come to it, else a stage would learn of a surge only when
 * the one before it has caught up. Where other records wait for the version than before, by its arms or by backfills that are held up, what waits
 * no more has not come and was not opened either. `before` is the interval before, undefined after a gap; `recordsPerBatch` what batches held when
 * some were last opened.
 */
export function tickOf(
  { stages, pipeline, allocation, batchRecords }: Observable,
  measured: MeasuredInterval,
  before: KeptTick | undefined,
  recordsPerBatch = batchRecords,
): KeptTick {
  const { intervalMs } = pipeline;
  const { opened, openedRecords, waitingRecords } = measured;
  const whole = intervalMs / (measured.to.getTime() - measured.from.getTime());
  const perBatch = Math.max(1, opened > 0 ? openedRecords / opened : recordsPerBatch);
  const waiting = waitingRecords / perBatch;
  const change = waiting - (before?.waitingRecords ?? waitingRecords) / perBatch;
  const grown = before?.feeding === measured.feeding ? change : Math.max(0, change);
  const seen = stages.map(({ name, partitions }, s) => {
    const stage = measured.stages[name]!;
    const now = allocation.stages[name]!;
    return {
      ...stage,
      ...now,
      partitions,
      presentBefore: before?.present[name] ?? stage.present,
      most: pipeline.stages[s]!.concurrency.max,
    };
  });
  const passes = seen.map((stage) => passedOn(stage, intervalMs));
  const stageTick = (stage: (typeof seen)[number], s: number): StageTick => {
    const { present, presentBefore, served, serviceMs, cpuMs, busy, concurrency, partitions } = stage;
    const { memoryMb, workingSetMb, outOfMemory, outOfMemoryMb } = stage;
    const isIdle = opened === 0 && served === 0 && present === 0 && presentBefore === 0;
    const yetToCome = isIdle ? Math.max(0, grown) : Math.min(waiting, ...passes.filter((_, other) => other !== s));
    return {
      arrivals: whole * Math.max(0, served + present - presentBefore + partitions * grown),
      served,
      serviceMs,
      cpuMs,
      busyMs: Math.min(busy, concurrency) * intervalMs,
      provisionedMs: concurrency * intervalMs,
      queued: Math.max(0, present - concurrency) + partitions * yetToCome,
      starting: 0,
      concurrency,
      memoryMb,
      workingSetMb,
      outOfMemory,
      outOfMemoryMb,
    };
  };
  const tick: ControlTick = {
    at: measured.to.getTime(),
    arrived: whole * Math.max(0, opened + grown),
    late: (whole * measured.lateRecords) / perBatch,
    stages: seen.map(stageTick),
  };
  return {
    tick,
    stages: stages.map(({ name }) => name),
    present: Object.fromEntries(stages.map(({ name }) => [name, measured.stages[name]!.present])),
    waitingRecords,
    feeding: measured.feeding,
    intervalMs,
    recordsPerBatch: perBatch,
    anew: before === undefined,
  };
}

interface SeenStage {
  readonly present: number;
  readonly presentBefore: number;
  readonly served: number;
  readonly serviceMs: number;
  readonly concurrency: number;
  readonly partitions: number;
  readonly most: number;
}

/**
 * Batches that a stage could let through within an interval with all the instances that it may have. None, where all of its instances had work
 * from the beginning to the end and ended none of it: what waits comes to no other stage before it does. Infinity: nothing bounds it that is known.
 */
function passedOn({ present, presentBefore, served, serviceMs, concurrency, partitions, most }: SeenStage, intervalMs: number): number {
  if (served > 0) return (most * intervalMs * served) / Math.max(1, serviceMs) / partitions;
  return Math.min(present, presentBefore) >= concurrency ? 0 : Number.POSITIVE_INFINITY;
}
