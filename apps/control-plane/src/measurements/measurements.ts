import { ProblemError } from '@autoflow/http';
import { observed, survivingRows, type InvocationRow, type Observed, type Store, type VersionRow } from '@autoflow/store';
import type { Allocation } from '@autoflow/topology';

const DEFAULT_SINCE_MS = 24 * 3_600_000;
/** Of a pipeline, the latest: enough for every function, and read in well under a second. */
const MOST_ROWS = 5_000;

/** What is learned from: the latest invocations and calibrations of a release, and of others as far as their functions are the same. */
export async function invocationsOf(store: Store, pipeline: string, release: string): Promise<InvocationRow[]> {
  const [rows, calibrations, releases] = await Promise.all([
    store.metrics.invocations({ pipeline, limit: MOST_ROWS }),
    store.metrics.calibrations({ pipeline, limit: MOST_ROWS }),
    store.definitions.releases(pipeline),
  ]);
  return survivingRows([...rows, ...calibrations], release, releases);
}

export async function currentAllocation(store: Store, { pipeline, name }: VersionRow): Promise<Allocation> {
  return (await store.definitions.allocation(pipeline, name))!.stages;
}

/** What a version did in this time, and how its load varied; refuses when it did nothing. */
export async function measuredBy(
  store: Store,
  { pipeline, name }: VersionRow,
  sinceMs = DEFAULT_SINCE_MS,
): Promise<Omit<Observed, 'records'>> {
  const to = new Date();
  const did = await observed(store.metrics, { pipeline, version: name, from: new Date(to.getTime() - sinceMs), to });
  if (did === undefined) throw notIdentifiable([`${pipeline} ${name} has measured nothing in this time. Let it run first.`]);
  const { records: _records, ...seen } = did;
  return seen;
}

export function notIdentifiable(reasons: readonly string[]): ProblemError {
  return new ProblemError(
    'NOT_IDENTIFIABLE',
    'What was measured does not tell enough for this question.',
    reasons.map((message) => ({ message })),
  );
}
