import type { AutoFlowClient } from '@autoflow/client';
import type { DemoRollback } from './report.js';
import { backfill, type RunOptions } from './run-version.js';

/** Enough to see, few enough to wait for on the slower version. */
const FEW = 20;

/** Makes the better version stable, runs a few records; goes back in one call, runs a few more; tells from their rows which version each had. */
export async function rollBack(to: string, from: string, options: RunOptions): Promise<DemoRollback> {
  const { client, pipeline, out } = options;
  const few = { ...options, limit: Math.min(FEW, options.limit) };
  const { revision } = await client.stable.show(pipeline);
  const rolledOut = await client.stable.set(pipeline, { version: from, reason: 'demo: the better version' }, revision);
  await backfill('demo-before-rollback', few);
  const before = await versionsIn(client, pipeline, 'demo-before-rollback');
  out.fact(`${from} is stable: ${described(before)}`);

  const called = performance.now();
  await client.stable.set(pipeline, { version: to, reason: 'demo: rolled back' }, rolledOut.revision);
  const callMs = performance.now() - called;
  await backfill('demo-after-rollback', few);
  const after = await versionsIn(client, pipeline, 'demo-after-rollback');
  out.fact(`${to} is stable again, by one call of ${callMs.toFixed(0)} ms: ${described(after)}`);
  return { from, to, callMs, before, after };
}

async function versionsIn(client: AutoFlowClient, pipeline: string, scope: string): Promise<Record<string, number>> {
  const { items } = await client.records.list(pipeline, { scope });
  const counts: Record<string, number> = {};
  for (const { version } of items) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
}

const described = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([version, count]) => `${count} records ran on ${version}`)
    .join(', ');
