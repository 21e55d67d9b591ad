import type { IngestClient, Version } from '@autoflow/client';
import type { DemoRollback } from './report.js';
import { backfill, type Load } from './run-version.js';

/** Enough to see, few enough to wait for on the slower version. */
const FEW = 20;

type Counts = Readonly<Record<string, number>>;

/**
 * Runs a few records on the better version, which is made stable where it is not yet; goes back in one call and runs a few more; reads from their rows
 * which version each had.
 */
export async function rollBack({ name: to }: Version, { name: from }: Version, load: Load, invoices: number): Promise<DemoRollback> {
  const { client, pipeline, out } = load;
  const limit = Math.min(FEW, invoices);
  const found = await client.stable.show(pipeline);
  const { revision } =
    found.version === from
      ? found
      : await client.stable.set(pipeline, { version: from, reason: 'demo: the better version' }, found.revision);
  const { holdout } = await client.arms.show(pipeline);
  const before = await runFew('before-rollback', load, limit);
  out.fact(`${from} is ${found.version === from ? 'stable' : 'made stable by hand'}: ${described(before)}.`);

  const called = performance.now();
  await client.stable.set(pipeline, { version: to, reason: 'demo: rolled back' }, revision);
  const callMs = performance.now() - called;
  const after = await runFew('after-rollback', load, limit);
  const held = onlyOn(from, before, holdout?.version) && onlyOn(to, after);
  const told = `Rolled back to ${to} by one call of ${callMs.toFixed(0)} ms: ${described(after)}`;
  if (held) out.fact(`${told}.`);
  else out.bad(`${told}, which must not happen. Please report it, with the JSON report (--json FILE).`);
  return { from, to, callMs, before, after, held };
}

/** Does it with `stable` as the stable version. However it ends, the pipeline has the versions that it had before: the database may be the user's. */
export async function movingTraffic<T>(stable: Version, { client, pipeline }: Load, work: () => Promise<T>): Promise<T> {
  const { stable: pointer, candidate, holdout } = await client.arms.show(pipeline);
  try {
    if (pointer.version !== stable.name) await client.stable.set(pipeline, { version: stable.name, reason: 'demo' }, pointer.revision);
    return await work();
  } finally {
    const reason = 'demo: as it was before';
    const now = await client.stable.show(pipeline);
    if (now.version !== pointer.version) await client.stable.set(pipeline, { version: pointer.version, reason }, now.revision);
    const arms = { ...(candidate && { candidate }), ...(holdout && { holdout }) };
    const { stable: _, control: _control, revision, feedingPaused: _paused, ...left } = await client.arms.show(pipeline);
    if (JSON.stringify(left) !== JSON.stringify(arms)) await client.arms.set(pipeline, { ...arms, reason }, revision);
  }
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

/** A holdout may have some of them: that it has half of so few does not come about by chance. */
export function onlyOn(version: string, counts: Counts, holdout?: string): boolean {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (counts[version] ?? 0) > all / 2 && Object.keys(counts).every((each) => each === version || each === holdout);
}

const described = (counts: Counts): string =>
  Object.entries(counts)
    .map(([version, count]) => `${count} invoices ran on ${version}`)
    .join(', ') || 'no invoice ran';
