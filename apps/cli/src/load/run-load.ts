/** One run of load against ingest: from the first probe to the figures. */
import type { AutoFlowClient, Metrics } from '@autoflow/client';
import type { Fields } from '@autoflow/pipeline';
import type { Trace } from '@autoflow/twin';
import { apiOutcomes, offsetByProbes } from './api-outcomes.js';
import { systemClock } from './clock.js';
import { HttpSubmitter, type IngestAddress } from './http-submitter.js';
import { measure, type Measured } from './measured.js';
import { offer, type Offered, type Sent } from './open-loop.js';
import { outcomesOf } from './outcomes.js';
import { runMark } from './run-mark.js';

export interface LoadOptions {
  readonly api: AutoFlowClient;
  readonly ingest: Omit<IngestAddress, 'scope'>;
  /** Field of a record that is its key. */
  readonly key: string;
  readonly records: readonly Fields[];
  readonly trace: Trace;
  readonly seed: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly drainMs: number;
  readonly connections: number;
  readonly signal: AbortSignal;
  readonly onSent: (sent: Sent) => void;
  readonly onDraining: () => void;
}

export interface LoadReport extends Measured, Omit<Offered, 'startedAt' | 'endedAt'> {
  readonly pipeline: string;
  /** Its records are those of this scope. */
  readonly scope: string;
  readonly trace: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly clockOffsetMs: number;
  readonly interrupted: boolean;
  /** Over the whole run; the probes and the drain included. */
  readonly versions: readonly Pick<Metrics, 'version' | 'records' | 'costPer1000' | 'utilisation'>[];
}

const PROBES = 3;

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { api, key, records, trace, seed, windowMs, warmUpMs, drainMs, connections, signal } = options;
  const mark = runMark();
  const scope = `load-${mark.text.slice(1, -1)}`;
  const address = { ...options.ingest, scope };
  const { pipeline } = address;
  const renamed = (fields: Fields, name: string): Fields => ({ ...fields, [key]: name });
  const probes = records.slice(0, PROBES).map((fields, i) => renamed(fields, `${String(fields[key])}~probe.${i}`));
  const clockOffsetMs = await offsetByProbes(address, probes, key);
  const submitter = new HttpSubmitter({ ...address, connections });
  try {
    const record = (number: number, intendedMs: number): Fields => {
      const fields = records[number % records.length]!;
      return renamed(fields, mark.stamp(String(fields[key]), number, intendedMs));
    };
    const offered = await offer({ trace, seed, record, submitter, clock: systemClock, windowMs, signal, onSent: options.onSent });
    options.onDraining();
    const ended = outcomesOf({ outcomes: apiOutcomes(address), offered, drainMs, signal });
    const measured = await measure(ended, { mark, offered, clockOffsetMs, warmUpMs });
    const { startedAt, endedAt, ...sent } = offered;
    return {
      pipeline,
      scope,
      trace: trace.name,
      seed,
      startedAt: new Date(startedAt).toISOString(),
      durationMs: endedAt - startedAt,
      clockOffsetMs,
      interrupted: signal.aborted,
      ...sent,
      ...measured,
      versions: await versionsOf(api, pipeline, scope, startedAt + clockOffsetMs),
    };
  } finally {
    submitter.close();
  }
}

/** Metering is written in the background, a moment after the outcomes. */
const METERING_WRITES_WITHIN_MS = 2_000;

async function versionsOf(api: AutoFlowClient, pipeline: string, scope: string, from: number): Promise<LoadReport['versions']> {
  await systemClock.sleepUntil(systemClock.now() + METERING_WRITES_WITHIN_MS);
  const { rows } = await api.pipelines.metrics(pipeline, { by: 'version', scope, from: new Date(from - 1000).toISOString() });
  return rows.map(({ version, records, costPer1000, utilisation }) => ({
    version,
    records,
    ...(costPer1000 && { costPer1000 }),
    ...(utilisation && { utilisation }),
  }));
}
