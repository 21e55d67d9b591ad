/** Shadow: what a version would make of records that were recorded, beside what was made of them. */
import type { Replay } from '@autoflow/function-host';
import type { PipelineSpec } from '@autoflow/pipeline';
import type { FunctionHashes, RecordedOutcome, Store } from '@autoflow/store';
import { SHADOW_SHOWN, type ShadowActivities, type ShadowDifference, type ShadowReport } from '@autoflow/topology';
import { atActivityBoundary } from '../errors.js';
import { compare } from '../replay/compare.js';
import { idOf, recordedRun } from '../replay/recorded-run.js';
import { memoryOf, type ResolvedVersion, type Versions } from '../versions.js';
import { heartbeating } from './heartbeating.js';

export interface ShadowPorts {
  readonly store: Pick<Store, 'recordings'>;
  readonly versions: Versions;
  readonly replay: Replay;
}

/** Records in memory at once, with all that was recorded of them. */
const PORTION = 250;

export function shadowActivities(ports: ShadowPorts): ShadowActivities {
  return {
    shadow: atActivityBoundary(({ pipeline, version, against, sample }) =>
      heartbeating(async (signal) => {
        const [candidate, known] = [await ports.versions.resolve(pipeline, version), await ports.versions.resolve(pipeline, against)];
        const { hash } = known.release;
        const answered = everyRecords(await ports.replay.release(hash, pipeline));
        const records = await ports.store.recordings.sample({ pipeline, release: hash, answered, limit: sample });
        const report = new Report();
        for (let from = 0; from < records.length; from += PORTION)
          await shadowPortion(records.slice(from, from + PORTION), candidate, known, ports, report, signal);
        return report.result();
      }),
    ),
  };
}

/** The functions that every completed record passes: in an expand there may be no child. */
function everyRecords({ spec, functions }: { readonly spec: PipelineSpec; readonly functions: FunctionHashes }): FunctionHashes {
  const always = spec.nodes.filter(({ id, scope }) => scope.length === 0 && functions[id] !== undefined);
  return Object.fromEntries(always.map(({ id }) => [id, functions[id]!]));
}

async function shadowPortion(
  records: readonly RecordedOutcome[],
  candidate: ResolvedVersion,
  known: ResolvedVersion,
  { store, replay }: ShadowPorts,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { pipeline, topology } = candidate.version;
  const [own, theirs] = await Promise.all([replay.release(candidate.release.hash, pipeline), replay.release(known.release.hash, pipeline)]);
  const { answers, calls } = await recordedRun(store, records, own, theirs.functions);
  const replayed = await replay.run({
    ...{ pipeline, release: candidate.release.hash, topology, memoryMb: memoryOf(candidate.plans), answers, strict: true, signal },
    records: records.map((record) => ({ ...record, id: idOf(record) })),
  });
  for (const [i, record] of records.entries())
    report.add(record.key, compare(own.spec, record, calls.get(idOf(record)) ?? {}, replayed.records[i]!));
}

class Report {
  #compared = 0;
  #different = 0;
  #notComparable = 0;
  readonly #differences: ShadowDifference[] = [];
  readonly #unanswered = new Map<string, number>();

  add(key: string, comparison: ReturnType<typeof compare>): void {
    if (comparison.kind === 'not-comparable') {
      this.#notComparable++;
      this.#unanswered.set(comparison.function, (this.#unanswered.get(comparison.function) ?? 0) + 1);
      return;
    }
    this.#compared++;
    if (comparison.kind === 'equal') return;
    this.#different++;
    if (this.#differences.length < SHADOW_SHOWN) this.#differences.push({ key, ...comparison.difference });
  }

  result(): ShadowReport {
    const unanswered = [...this.#unanswered].map(([node, records]) => ({ function: node, records })).sort((a, b) => b.records - a.records);
    return {
      compared: this.#compared,
      different: this.#different,
      notComparable: this.#notComparable,
      unanswered: unanswered.slice(0, SHADOW_SHOWN),
      differences: this.#differences,
    };
  }
}
