/** What a backfill would read, for its dry run. */
import type { SourceSettings, Store } from '@autoflow/store';
import type { SourceCount, SourceCountActivities, SourceCountRequest } from '@autoflow/topology';
import { atActivityBoundary } from '../errors.js';
import { cutPortion, intakeOf, PeekableRecords, type Intake } from '../feeding/portions.js';
import { openSource, type SourceAccess } from '../sources/index.js';
import type { Versions } from '../versions.js';
import { heartbeating } from './heartbeating.js';

export interface SourceCountPorts {
  readonly access: SourceAccess;
  readonly store: Pick<Store, 'ledger'>;
  readonly versions: Versions;
}

const PORTION = { records: 1_000, bytes: 8 * 1024 * 1024 } as const;

export function sourceCountActivities(ports: SourceCountPorts): SourceCountActivities {
  return {
    countSource: atActivityBoundary((request) => heartbeating((signal) => count(request, ports, signal))),
  };
}

async function count(
  request: SourceCountRequest,
  { access, store, versions }: SourceCountPorts,
  signal: AbortSignal,
): Promise<SourceCount> {
  const { pipeline, version, limit = Infinity, scopes } = request;
  const { spec } = (await versions.resolve(pipeline, version)).release;
  const source = await openSource(request.source as SourceSettings, spec, access);
  const records = new PeekableRecords(source.records(0)[Symbol.asyncIterator]());
  let counted: SourceCount = { records: 0, known: 0, invalid: 0 };
  try {
    while (counted.records < limit) {
      signal.throwIfAborted();
      const portion = await cutPortion(records, { ...PORTION, records: Math.min(PORTION.records, limit - counted.records) });
      if (portion.length === 0) break;
      const intake = intakeOf(portion, spec, 'dry-run');
      counted = {
        records: counted.records + portion.length,
        known: counted.known + (await knownOf(store, pipeline, scopes, intake)),
        invalid: counted.invalid + intake.filter(({ problem }) => problem !== undefined).length,
      };
      records.drop(portion.length);
    }
    return counted;
  } finally {
    await records.close();
  }
}

async function knownOf(
  { ledger }: SourceCountPorts['store'],
  pipeline: string,
  scopes: readonly string[],
  intake: readonly Intake[],
): Promise<number> {
  const known = new Set<string>();
  const keys = intake.map(({ key }) => key);
  for (const scope of scopes) for (const { key } of await ledger.ended(pipeline, scope, keys)) known.add(key);
  return keys.filter((key) => known.has(key)).length;
}
