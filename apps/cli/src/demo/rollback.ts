import type { AutoFlowClient, IngestClient, Version } from '@autoflow/client';
import type { DemoRollback } from './report.js';
import { backfill, type Load } from './run-version.js';

/** Enough to see, few enough to wait for on the slower version. */
const FEW = 20;

type Counts = Readonly<Record<string, number>>;

/**
 * Makes the better version stable and runs a few records; goes back in one call and runs a few more; reads from their rows which version
 * each had. However that ends, the pipeline has the stable version that it had before: the database may be the user's.
 */
export async function rollBack({ name: to }: Version, { name: from }: Version, load: Load, invoices: number): Promise<DemoRollback> {
  const { client, pipeline, out } = load;
  const limit = Math.min(FEW, invoices);
  const found = await client.stable.show(pipeline);
  try {
    const rolledOut = await client.stable.set(pipeline, { version: from, reason: 'demo: the better version' }, found.revision);
    const before = await runFew('before-rollback', load, limit);
    out.fact(`${from} made stable: ${described(before)}.`);

    const called = performance.now();
    await client.stable.set(pipeline, { version: to, reason: 'demo: rolled back' }, rolledOut.revision);
    const callMs = performance.now() - called;
    const after = await runFew('after-rollback', load, limit);
    const held = only(before, from) && only(after, to);
    const told = `Rolled back to ${to} by one call of ${callMs.toFixed(0)} ms: ${described(after)}`;
    if (held) out.fact(`${told}.`);
    else out.bad(`${told}, which must not happen. Please report it, with the JSON report (--json FILE).`);
    return { from, to, callMs, before, after, held };
  } finally {
    await restore(client, pipeline, found.version);
  }
}

/** Nothing is changed where nothing needs to be: with a database of its own the demo ends on the version it began with. */
async function restore(client: AutoFlowClient, pipeline: string, version: string): Promise<void> {
  const now = await client.stable.show(pipeline);
  if (now.version !== version) await client.stable.set(pipeline, { version, reason: 'demo: as it was before' }, now.revision);
}

/** Answers how many of them ran on which version. */
async function runFew(name: string, load: Load, limit: number): Promise<Counts> {
  const scope = `${load.scope}-${name}`;
  await backfill('a few more', { ...load, scope, limit });
  return versionsOf(await load.ingest.records.list(load.pipeline, { scope }));
}

function versionsOf({ items }: Awaited<ReturnType<IngestClient['records']['list']>>): Counts {
  const counts: Record<string, number> = {};
  for (const { version = 'none' } of items) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
}

function only(counts: Counts, version: string): boolean {
  return Object.keys(counts).join() === version;
}

const described = (counts: Counts): string =>
  Object.entries(counts)
    .map(([version, count]) => `${count} invoices ran on ${version}`)
    .join(', ') || 'no invoice ran';
