import type { InvocationRow, PoolUsageRow, SpanRow } from '../metering.model.js';

export function invocationOf(more: Partial<InvocationRow> = {}): InvocationRow {
  return {
    runId: 'run',
    activityId: '1',
    attempt: 1,
    executionId: 'e1',
    pipeline: 'orders',
    release: 'r1',
    version: 'v1',
    stage: 'parse',
    scope: 'live',
    batchId: 'b1',
    host: 'h1',
    startedAt: new Date('2026-03-04T10:00:00.123Z'),
    queueMs: 1.5,
    gateMs: 0.5,
    cold: false,
    coldStartMs: 0,
    durationMs: 100,
    cpuMs: 40,
    runQueueMs: 2,
    peakMemoryMb: 60,
    memoryMb: 128,
    enforcement: 'soft',
    recordsIn: 10,
    recordsOut: 10,
    filtered: 0,
    dead: 0,
    retried: 0,
    bytesIn: 5_000_000_000,
    bytesOut: 2000,
    outcome: 'ok',
    costUsd: 0.001,
    spans: [spanOf('parse', 75), spanOf('find', 25)],
    ...more,
  };
}

export function spanOf(node: string, wallMs: number, more: Partial<SpanRow> = {}): SpanRow {
  return { node, recordsIn: 10, recordsOut: 10, filtered: 0, dead: 0, retried: 0, wallMs, cpuMs: wallMs / 2, ...more };
}

export function poolUsageOf(more: Partial<PoolUsageRow> = {}): PoolUsageRow {
  const from = more.from ?? new Date('2026-03-04T10:00:00Z');
  const to = new Date(from.getTime() + 10_000);
  return {
    host: 'h1',
    pipeline: 'orders',
    version: 'v1',
    stage: 'parse',
    memoryMb: 128,
    from,
    to,
    provisionedS: 20,
    busyS: 5,
    provisionedMbS: 2560,
    usedMbS: 640,
    ...more,
  };
}
