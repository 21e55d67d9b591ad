/** Open-loop load on the real stack, and what came of it: the one way in which every benchmark of live traffic measures. */
import {
  clockOffset,
  measure,
  offer,
  outcomesOf,
  runMark,
  storedOutcomes,
  systemClock,
  type Measured,
  type Offered,
  type RunMark,
  type Submitter,
} from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import type { Trace } from '@autoflow/twin';
import { newRecord } from '../live.js';
import type { BenchPlatform } from '../platform.js';

/** Where the records of one load go, and how they are known again. */
export interface LoadRun {
  readonly scope: string;
  readonly mark: RunMark;
}

export interface LoadOptions {
  readonly platform: BenchPlatform;
  readonly trace: Trace;
  readonly seed: number;
  readonly warmUpMs: number;
  /** How long after its end outcomes are waited for. */
  readonly drainMs: number;
  readonly records: () => Fields;
  readonly door: (run: LoadRun) => Submitter<Fields>;
  readonly signal?: AbortSignal;
}

export interface Loaded extends LoadRun {
  readonly measured: Measured;
  readonly offered: Offered;
  /** The database's clock minus ours. */
  readonly clockOffsetMs: number;
  /** Every accepted record has its outcome. */
  isIdle(): Promise<boolean>;
}

/** Offers the trace, waits for the outcomes, and measures them. Keys are unique: the same invoices may come again and again. */
export async function underLoad({ platform, trace, seed, warmUpMs, drainMs, records, door, signal }: LoadOptions): Promise<Loaded> {
  const { store, spec } = platform;
  const mark = runMark();
  const run = { scope: `load-${mark.text.slice(1, -1)}`, mark };
  const clockOffsetMs = await clockOffset(store.ended);
  const record = (number: number, intendedMs: number): Fields => {
    const fields = records();
    return { ...fields, [spec.key]: mark.stamp(String(fields[spec.key]), number, intendedMs) };
  };
  const offered = await offer({ trace, seed, record, submitter: door(run), clock: systemClock, ...(signal && { signal }) });
  const outcomes = storedOutcomes(store.ended, {
    pipeline: spec.name,
    scope: run.scope,
    mark,
    startedAt: offered.startedAt,
    clockOffsetMs,
  });
  const measured = await measure(outcomesOf({ outcomes, offered, drainMs }), { mark, offered, clockOffsetMs, warmUpMs });
  return { ...run, measured, offered, clockOffsetMs, isIdle: () => outcomes.areAll(offered.accepted) };
}

/** The inbox: what live traffic takes. */
export function inboxDoor({ store, spec }: BenchPlatform, { scope }: Pick<LoadRun, 'scope'>): Submitter<Fields> {
  return {
    submit: async (given) => {
      await store.inbox.accept({ pipeline: spec.name, scope, records: given.map((fields) => newRecord(fields, spec.key)) });
      return { accepted: given.length, refused: 0 };
    },
  };
}

const IDLE_WITHIN_MS = 300_000;

/** What a saturated side left open must not burden what is measured next; what does not end in this time stays, and is told as unfinished. */
export async function untilIdle({ isIdle }: Pick<Loaded, 'isIdle'>): Promise<void> {
  for (const deadline = systemClock.now() + IDLE_WITHIN_MS; systemClock.now() < deadline && !(await isIdle());)
    await systemClock.sleepUntil(systemClock.now() + 1000);
}

/** Hosts write what they meter within this. */
export const METERED_WITHIN_MS = 2_500;

/** What a version did with the records of a scope, once metering has written what it holds; cost counts the whole of it, its drain included. */
export async function meteredOf({ store, spec }: BenchPlatform, version: string, scope: string, from: number) {
  await systemClock.sleepUntil(systemClock.now() + METERED_WITHIN_MS);
  const [row] = await store.metrics.metrics({
    pipeline: spec.name,
    from: new Date(from - 1000),
    to: new Date(Date.now() + 1000),
    by: 'version',
    version,
    scope,
  });
  return { ...(row?.costPer1000 && { costPer1000: row.costPer1000 }), ...(row?.utilisation && { utilisation: row.utilisation }) };
}
