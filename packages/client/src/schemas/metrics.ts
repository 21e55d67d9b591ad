import { z } from 'zod';
import { PipelineName, ScopeName, Timestamp, VersionName } from './common.js';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `1h`, `7d`; in milliseconds. */
export const Span = z
  .string()
  .regex(/^[1-9][0-9]{0,5}[smhd]$/, 'a span of time is a number with s, m, h or d, such as 15m or 1h')
  .transform((span) => Number(span.slice(0, -1)) * UNITS[span.slice(-1)]!);

/** A span back from now, or the time itself; as the time. */
export const Since = z
  .union([Span, Timestamp])
  .transform((since) => (typeof since === 'number' ? new Date(Date.now() - since) : new Date(since)));

/** The window is from `from` to `to`, or the `since` before `to`. Default: the hour before now. */
export const MetricsWindow = z
  .strictObject({
    by: z.enum(['version', 'stage', 'function']).default('version'),
    since: Span.exactOptional(),
    from: Timestamp.exactOptional(),
    to: Timestamp.exactOptional(),
    version: VersionName.exactOptional(),
    scope: ScopeName.exactOptional(),
  })
  .refine(({ since, from }) => since === undefined || from === undefined, { message: 'give since or from, not both', path: ['since'] });

/** Latency and CPU in milliseconds, cost in US dollars, throughput in records per second, utilisation and error rate as shares of 1. */
export const Metrics = z
  .object({
    version: VersionName,
    stage: z.string().exactOptional(),
    function: z.string().exactOptional(),
    records: z.number(),
    invocations: z.number(),
    throughput: z.number(),
    latency: z.object({ mean: z.number(), p50: z.number(), p95: z.number(), p99: z.number() }),
    errorRate: z.number(),
    costPer1000: z.object({ all: z.number(), withoutActions: z.number() }).exactOptional(),
    utilisation: z.object({ memory: z.number(), instances: z.number() }).exactOptional(),
    cpuMs: z.number(),
    coldStarts: z.number(),
    peakMemoryMb: z.number(),
  })
  .meta({ id: 'Metrics' });
export type Metrics = z.infer<typeof Metrics>;

export const MetricsReport = z
  .object({ pipeline: PipelineName, by: z.enum(['version', 'stage', 'function']), from: Timestamp, to: Timestamp, rows: z.array(Metrics) })
  .meta({ id: 'MetricsReport' });
export type MetricsReport = z.infer<typeof MetricsReport>;
