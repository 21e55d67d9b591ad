/** Takes records in: each is checked against the release, all of a portion are accepted by one statement. */
import type { SubmitResult } from '@autoflow/client/schemas';
import type { Fields, PipelineSpec } from '@autoflow/pipeline';
import { takeRecord } from '@autoflow/pipeline/runtime';
import { currentTrace } from '@autoflow/telemetry';
import { type Acceptance, digestOf, type NewRecord, type Store } from '@autoflow/store';
import { jsonPointer } from '@autoflow/topology';
import type { Counts } from '../metrics/counts.js';
import type { Backlog } from './backlog.js';
import type { PipelineSpecs } from './pipelines.js';

/** Where a record stood in the request: by index or by line. */
export type Place = { readonly index: number } | { readonly line: number };
/** What was sent in one place: something to be checked, or something that could not even be read. */
export type Sent = { readonly place: Place; readonly record: unknown } | { readonly place: Place; readonly problem: string };

export interface Destination {
  readonly pipeline: string;
  readonly scope: string;
  /** Run with it, whatever the arms say. */
  readonly version?: string;
  readonly withinMs?: number;
}

/** Records are taken in so many at a time: a bounded statement, and a bounded time in which nothing else is done. */
export const PORTION_RECORDS = 250;
export const PORTION_BYTES = 1024 * 1024;

export class Intake {
  constructor(
    private readonly store: Pick<Store, 'inbox'>,
    readonly specs: PipelineSpecs,
    readonly backlog: Backlog,
    private readonly counts: Pick<Counts, 'records'>,
  ) {}

  /** One result for each, in order. Those that are `accepted` are durable. */
  async take(destination: Destination, sent: readonly Sent[]): Promise<SubmitResult[]> {
    const { pipeline, scope, version, withinMs } = destination;
    const spec = await this.specs.specOf(pipeline, version);
    const checked = sent.map((one) => check(spec, one));
    const more = { ...(version !== undefined && { version }), ...(withinMs !== undefined && { withinMs }) };
    const records = checked.flatMap((one) => ('key' in one ? [{ ...one.taken, ...more }] : []));
    const acceptances = await this.store.inbox.accept({ pipeline, scope, records, trace: currentTrace() });
    let next = 0;
    const results = checked.map((one) => ('key' in one ? resultOf(one, acceptances[next++]!) : one.invalid));
    this.counts.records(pipeline, results);
    this.backlog.add(pipeline, results.filter(({ status }) => status === 'accepted').length);
    return results;
  }
}

type Checked = { readonly place: Place; readonly key: string; readonly taken: NewRecord } | { readonly invalid: SubmitResult };

function check(spec: PipelineSpec, sent: Sent): Checked {
  const { place } = sent;
  if ('problem' in sent) return { invalid: { ...place, status: 'invalid', errors: [{ ...pointer(place), message: sent.problem }] } };
  const taken = takeRecord(spec, sent.record);
  if ('problem' in taken) {
    const errors = taken.problems.map(({ path = [], message }) => ({ ...pointer(place, path), message }));
    return { invalid: { ...place, status: 'invalid', errors } };
  }
  try {
    const record = sent.record as Fields;
    return { place, key: taken.key, taken: { key: taken.key, record, ...digestOf(record) } };
  } catch (error) {
    // What the release does not declare has not been looked at so far, and it may nest without end.
    return { invalid: { ...place, key: taken.key, status: 'invalid', errors: [{ ...pointer(place), message: (error as Error).message }] } };
  }
}

/** Into the body where it is one document; of a line, into that line. */
function pointer(place: Place, path: readonly PropertyKey[] = []): { pointer: string } {
  return { pointer: 'index' in place ? jsonPointer(place.index, ...path) : jsonPointer(...path) };
}

function resultOf({ place, key }: { readonly place: Place; readonly key: string }, acceptance: Acceptance): SubmitResult {
  return acceptance.state === 'accepted'
    ? { ...place, key, status: 'accepted', state: 'waiting' }
    : { ...place, key, status: acceptance.state, state: acceptance.as };
}
