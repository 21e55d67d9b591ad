import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackfillDryRun, NewBackfill } from '@autoflow/client/schemas';
import { ProblemError } from '@autoflow/http';
import type { MetricsRow, Store } from '@autoflow/store';
import type { SourceCount, SourceCountRequest } from '@autoflow/topology';
import { BACKFILL_DRY_RUN_WORKFLOW, backfillDryRunWorkflowId } from '@autoflow/workflows';
import type { z } from 'zod';
import type { QuestionRuns } from '../ports.js';

type Wanted = z.output<typeof NewBackfill>;

const POLL_MS = 250;
/** A request that is answered later is hardly waited for. */
const PATIENCE_MS = 60_000;
/** Measurements of so long are what an estimate is made of. */
const MEASURED_MS = 24 * 3_600_000;

/** What the backfill would read, and, from what its version was measured to do, how long that would take and what it would cost. */
export async function dryRun(store: Store, runs: QuestionRuns, pipeline: string, version: string, wanted: Wanted): Promise<BackfillDryRun> {
  const { records, known, invalid } = await counted(runs, pipeline, version, wanted);
  const to = new Date();
  const from = new Date(to.getTime() - MEASURED_MS);
  const [measured] = await store.metrics.metrics({ pipeline, version, by: 'version', from, to });
  return { dryRun: true, pipeline, version, records, known, invalid, ...estimated(records - known, version, measured, wanted.rate) };
}

async function counted(
  runs: QuestionRuns,
  pipeline: string,
  version: string,
  { source, limit, scope, skipKnown }: Wanted,
): Promise<SourceCount> {
  const id = backfillDryRunWorkflowId(randomBytes(6).toString('hex'));
  const scopes = [...(scope === undefined ? [] : [scope]), ...(skipKnown ? ['live'] : [])];
  const request: SourceCountRequest = { pipeline, version, source, scopes, ...(limit !== undefined && { limit }) };
  await runs.start(BACKFILL_DRY_RUN_WORKFLOW, id, request);
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const found = await runs.find<SourceCount>(id);
    if (found?.state === 'answered') return found.answer;
    if (found?.state === 'failed')
      throw new ProblemError('INVALID_BODY', 'The source cannot be read.', [
        { pointer: '/source', message: `${found.failure.code}: ${found.failure.message}` },
      ]);
    await delay(POLL_MS);
  }
  throw new ProblemError('SOURCE_TOO_LONG', `The source was not read to its end within ${PATIENCE_MS / 1000} s.`);
}

function estimated(
  records: number,
  version: string,
  measured: MetricsRow | undefined,
  rate = Infinity,
): Pick<BackfillDryRun, 'seconds' | 'costUsd' | 'notes'> {
  if (measured === undefined || !(measured.throughput > 0))
    return {
      ...(rate < Infinity && { seconds: records / rate }),
      notes: [{ message: `${version} has measured nothing in the last day: what it costs and how fast it is are not known.` }],
    };
  const { throughput, costPer1000 } = measured;
  const isFaster = rate < Infinity && rate > throughput;
  return {
    seconds: records / Math.min(rate, throughput),
    ...(costPer1000 && { costUsd: (records / 1000) * costPer1000.all }),
    notes: [
      {
        message: isFaster
          ? `${version} was measured at ${throughput.toFixed(1)} records/s; whether it is as fast as asked is not known.`
          : `${version} did ${throughput.toFixed(1)} records/s in the last day; where it had nothing to do in between, it is faster.`,
      },
    ],
  };
}
