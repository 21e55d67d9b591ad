import type { AutoFlowClient, Version } from '@autoflow/client';
import type { DemoRollback } from './report.js';
import { backfill, type Load } from './run-version.js';

/** Enough to see, few enough to wait for on the slower version. */
const FEW = 20;

/** Makes the better version stable and runs a few records; goes back in one call and runs a few more; reads from their rows which version each had. */
export async function rollBack({ name: to }: Version, { name: from }: Version, load: Load): Promise<DemoRollback> {
  const { client, pipeline, out } = load;
  const { revision } = await client.stable.show(pipeline);
  const rolledOut = await client.stable.set(pipeline, { version: from, reason: 'demo: the better version' }, revision);
  const before = await runFew('before-rollback', load);
  out.fact(`${from} made stable: ${described(before)}.`);

  const called = performance.now();
  await client.stable.set(pipeline, { version: to, reason: 'demo: rolled back' }, rolledOut.revision);
  const callMs = performance.now() - called;
  const after = await runFew('after-rollback', load);
  out.fact(`Rolled back to ${to} by one call of ${callMs.toFixed(0)} ms: ${described(after)}.`);
  return { from, to, callMs, before, after };
}

/** Answers how many of them ran on which version. */
async function runFew(name: string, load: Load): Promise<Record<string, number>> {
  const scope = `${load.scope}-${name}`;
  await backfill('a few more', { ...load, scope, limit: FEW });
  return versionsOf(await load.client.records.list(load.pipeline, { scope }));
}

function versionsOf({ items }: Awaited<ReturnType<AutoFlowClient['records']['list']>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { version } of items) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
}

const described = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([version, count]) => `${count} invoices ran on ${version}`)
    .join(', ');
