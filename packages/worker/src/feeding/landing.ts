import type { Fields } from '@autoflow/pipeline';
import type { Store } from '@autoflow/store';
import type { Log } from '../log.js';
import type { Versions } from '../versions.js';
import { takeRecord } from '../records.js';
import { keyOf } from './portions.js';
import { writable } from './writable.js';

const AT_ONCE = { records: 500, bytes: 8 * 1024 * 1024 };
/** In one look: whoever goes on copying does not keep a feeder from closing. */
const PORTIONS = 20;
const TOLD = 20;

/** What came by COPY goes where what was posted goes, checked the same way: by the release that is stable now. */
export async function drainLanding({ store, versions }: { store: Pick<Store, 'feeder'>; versions: Versions }): Promise<void> {
  const take = async (pipeline: string, landed: unknown) => {
    const { release } = await versions.resolve(pipeline);
    const taken = takeRecord(release.spec, landed);
    // What it holds beyond the declared fields goes along.
    const { record, digest, bytes, problem } = writable(fieldsOf(landed));
    if (!('problem' in taken) && problem === undefined) return { key: taken.key, record, digest, bytes };
    const key = 'problem' in taken ? keyOf(record[release.spec.key]) : taken.key;
    return { ...(key !== undefined && { key }), record, problem: 'problem' in taken ? taken.problem : problem! };
  };
  for (let portion = 0; portion < PORTIONS && (await store.feeder.drainLanding(AT_ONCE, take)) > 0; portion++);
}

/** A letter holds an object, whatever it was that came. */
function fieldsOf(landed: unknown): Fields {
  return typeof landed === 'object' && landed !== null && !Array.isArray(landed) ? (landed as Fields) : { record: landed as never };
}

/** Of the pipelines that are not there, those that the most waits for: nobody who copies gets an answer. */
export async function tellStranded({ store, log }: { store: Pick<Store, 'feeder'>; log: Log }): Promise<void> {
  for (const { pipeline, records, oldestAt } of (await store.feeder.stranded()).slice(0, TOLD))
    log('warn', 'records that came by COPY wait for a pipeline that is not there; deploy it, or delete them from autoflow.landing', {
      pipeline,
      records,
      oldestAt,
    });
}
