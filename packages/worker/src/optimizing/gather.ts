import { rateSeen, type Load } from '@autoflow/twin';
import { observed, survivingRows, type Observed } from '@autoflow/store';
import { goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';
import { whyForbidden } from './scheduled.js';

/**
 * What is looked at: measurements of one release, and of others as far as their functions are the same, in a window that is closed, so that
 * whoever looks again sees the same.
 */
export interface Gathered extends Omit<Observed, 'records'> {
  readonly version: string;
  readonly release: string;
  readonly until: string;
  /** Nothing from before is looked at; absent: the latest are, from whenever they are. */
  readonly since?: string;
  /** Records per second that a proposal is made for. */
  readonly ratePerSecond: number;
}

const DAY_MS = 24 * 3_600_000;
/** Of a pipeline, the latest: enough for every function of a pipeline, and read in well under a second. */
export const MOST_ROWS = 5_000;
/** Fewer say nothing, whatever they are of. */
const FEWEST_ROWS = 20;

/**
 * Chooses the window: what the version did since, and the latest invocations of its functions. A release begins anew with those that changed. What may
 * not come to anything is not begun: the next steps compute.
 */
export async function gather(ports: OptimizingPorts, { row }: Job): Promise<Outcome> {
  const { pipeline, request } = row;
  const forbidden = request.dryRun ? undefined : await whyForbidden(ports, row);
  if (forbidden !== undefined) return { decision: stop('NOT_ALLOWED', `Nothing was searched for. ${forbidden}`) };
  const { definitions, metrics } = ports.store;
  const { stable } = (await definitions.pipeline(pipeline))!;
  const asked = request.version === undefined ? undefined : await definitions.version(pipeline, request.version);
  const { version, release } = asked === undefined ? stable : { version: asked.name, release: asked.release };
  const to = new Date();
  const { changedAt } = request;
  const from = new Date(Math.max(to.getTime() - (request.sinceMs ?? DAY_MS), changedAt ?? 0));
  const { scope } = request;
  const set = { version };
  const did = await observed(metrics, { pipeline, version, from, to, ...(scope !== undefined && { scope }) });
  if (did === undefined)
    return { set, decision: stop('TOO_LITTLE_DATA', `${pipeline} ${version} has measured nothing in this time. Let it run first.`) };
  const window = { until: to.toISOString(), ...(changedAt !== undefined && { since: new Date(changedAt).toISOString() }) };
  const rows = await rowsOf(ports, pipeline, release, window);
  if (rows.length < FEWEST_ROWS)
    return {
      set,
      decision: stop(
        'TOO_LITTLE_DATA',
        `${rows.length} invocations of the functions of ${version} were measured, and ${FEWEST_ROWS} are the least. Let it run first.`,
      ),
    };
  const { records, ...seen } = did;
  const { shape, measured } = seen;
  const ratePerSecond = request.ratePerSecond ?? (request.times ?? 1) * measured.throughput;
  const document: Gathered = { version, release, ...window, ...seen, ratePerSecond };
  return {
    set,
    document,
    decision: goOn(
      `${rows.length} invocations of ${version} and of others with functions of it; it did ${records} records at ${measured.throughput.toFixed(1)}/s${varying({ ratePerSecond: measured.throughput, ...(shape && { shape }) })}.`,
    ),
  };
}

function varying(load: Load): string {
  const seen = rateSeen(load);
  return seen < WORTH_SAYING * load.ratePerSecond ? '' : `, in bursts: when a record comes, ${seen.toFixed(1)}/s come`;
}
const WORTH_SAYING = 1.1;

export async function rowsOf(
  { store }: { readonly store: Pick<OptimizingPorts['store'], 'metrics' | 'definitions'> },
  pipeline: string,
  release: string,
  { since, until }: Pick<Gathered, 'since' | 'until'>,
) {
  const asked = { pipeline, before: new Date(until), ...(since !== undefined && { since: new Date(since) }), limit: MOST_ROWS };
  const [live, calibrations, releases] = await Promise.all([
    store.metrics.invocations(asked),
    store.metrics.calibrations(asked),
    store.definitions.releases(pipeline),
  ]);
  return survivingRows([...live, ...calibrations], release, releases);
}
