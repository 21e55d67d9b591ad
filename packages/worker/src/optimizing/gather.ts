import type { Measured } from '@autoflow/twin';
import { survivingRows, type MetricsRow } from '@autoflow/store';
import { goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';

/**
 * What is looked at: measurements of one release, and of others as far as their functions are the same, in a window that is closed, so that
 * whoever looks again sees the same.
 */
export interface Gathered {
  readonly version: string;
  readonly release: string;
  readonly until: string;
  readonly measured: Measured;
  /** Records per second that a proposal is made for. */
  readonly ratePerSecond: number;
}

const DAY_MS = 24 * 3_600_000;
/** Of a pipeline, the latest: enough for every function of a pipeline, and read in well under a second. */
export const MOST_ROWS = 5_000;
/** Fewer say nothing, whatever they are of. */
const FEWEST_ROWS = 20;

/** Chooses the window: what the version did since, and the latest invocations of its functions. A release begins anew with those that changed. */
export async function gather(ports: OptimizingPorts, { row: { pipeline, request } }: Job): Promise<Outcome> {
  const { definitions, metrics } = ports.store;
  const { stable } = (await definitions.pipeline(pipeline))!;
  const asked = request.version === undefined ? undefined : await definitions.version(pipeline, request.version);
  const { version, release } = asked === undefined ? stable : { version: asked.name, release: asked.release };
  const to = new Date();
  const from = new Date(to.getTime() - (request.sinceMs ?? DAY_MS));
  const { scope } = request;
  const set = { version };
  const [row] = await metrics.metrics({
    pipeline,
    version,
    by: 'version',
    from,
    to,
    ...(scope !== undefined && { scope }),
  });
  if (row === undefined || !(row.throughput > 0))
    return { set, decision: stop('TOO_LITTLE_DATA', `${pipeline} ${version} has measured nothing in this time. Let it run first.`) };
  const rows = await rowsOf(ports, pipeline, release, to);
  if (rows.length < FEWEST_ROWS)
    return {
      set,
      decision: stop(
        'TOO_LITTLE_DATA',
        `${rows.length} invocations of the functions of ${version} were measured, and ${FEWEST_ROWS} are the least. Let it run first.`,
      ),
    };
  const measured = measuredOf(row);
  const ratePerSecond = request.ratePerSecond ?? (request.times ?? 1) * measured.throughput;
  const document: Gathered = { version, release, until: to.toISOString(), measured, ratePerSecond };
  return {
    set,
    document,
    decision: goOn(
      `${rows.length} invocations of ${version} and of others with functions of it; it did ${row.records} records at ${measured.throughput.toFixed(1)}/s.`,
    ),
  };
}

export async function rowsOf(
  { store }: { readonly store: Pick<OptimizingPorts['store'], 'metrics' | 'definitions'> },
  pipeline: string,
  release: string,
  until: Date,
) {
  const asked = { pipeline, before: until, limit: MOST_ROWS };
  const [live, calibrations, releases] = await Promise.all([
    store.metrics.invocations(asked),
    store.metrics.calibrations(asked),
    store.definitions.releases(pipeline),
  ]);
  return survivingRows([...live, ...calibrations], release, releases);
}

function measuredOf({ throughput, latency, costPer1000 }: MetricsRow): Measured {
  return { throughput, latencyMs: latency, ...(costPer1000 && { costPer1000 }) };
}
