/** One side under the surge, on the real stack, from an idle stack to an idle stack. */
import { clockOffset, measure, offer, outcomesOf, runMark, storedOutcomes, systemClock, type Summary } from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import type { Allocation } from '@autoflow/topology';
import type { ControllerSettings } from '@autoflow/worker';
import type pg from 'pg';
import { newRecord } from '../live.js';
import type { BenchPlatform, BenchVersion } from '../platform.js';
import type { Surge } from './surge-trace.js';

export interface SurgeSide {
  readonly name: string;
  /** Undefined: nothing is changed. */
  readonly controller?: ControllerSettings;
  readonly start: Allocation;
  /** The agent acts at once, and is not compared meanwhile: it is the agent that is measured. */
  readonly trusted?: boolean;
}

export interface SurgeCell {
  readonly side: string;
  readonly repetition: number;
  /** Memory-seconds of the allocation, and of the instances that there were. */
  readonly reservedMbS: number;
  readonly heldMbS: number;
  /** Share of the records past the service level. */
  readonly late: number;
  readonly latency?: Summary;
  readonly offered: number;
  /** Accepted and without an outcome, and dead. */
  readonly lost: number;
  readonly dead: number;
  /** Reserved memory: mean of before, most during the surge, and how long after it until it is at most 1.2 times that of before. */
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly returnsInMs: number | null;
  readonly changes: number;
  readonly byActor: { readonly [actor: string]: number };
  /** Decisions, by who decided and why. */
  readonly decisions: { readonly [why: string]: number };
  readonly latenessMs: number;
}

export interface SurgeCellOptions {
  readonly platform: BenchPlatform;
  readonly sql: pg.Pool;
  readonly version: BenchVersion;
  readonly side: SurgeSide;
  readonly surge: Surge;
  readonly repetition: number;
  readonly sloMs: number;
  readonly drainMs: number;
  readonly records: () => Fields;
}

const BY = { actor: 'benchmark', reason: 'a benchmark' };
const RETURNED = 1.2;
const WARM_UP_MS = 3_000;

export async function runSurgeCell(options: SurgeCellOptions): Promise<SurgeCell> {
  const { platform, version, side, surge, repetition, sloMs, drainMs, records } = options;
  const { store, spec } = platform;
  const pipeline = spec.name;
  await prepare(options);
  const worker = await platform.startWorker(side.controller === undefined ? {} : { controller: side.controller }, [
    'workflows',
    'functions',
    'feeder',
    'control',
  ]);
  try {
    await systemClock.sleepUntil(systemClock.now() + WARM_UP_MS);
    const mark = runMark();
    const scope = `load-${mark.text.slice(1, -1)}`;
    const clockOffsetMs = await clockOffset(store.ended);
    const record = (number: number, intendedMs: number): Fields => {
      const fields = records();
      return { ...fields, [spec.key]: mark.stamp(String(fields[spec.key]), number, intendedMs) };
    };
    const submitter = {
      submit: async (given: readonly Fields[]) => {
        await store.inbox.accept({ pipeline, scope, records: given.map((fields) => newRecord(fields, spec.key)) });
        return { accepted: given.length, refused: 0 };
      },
    };
    const offered = await offer({ trace: surge.trace, seed: 1 + repetition, record, submitter, clock: systemClock });
    const { startedAt } = offered;
    const outcomes = storedOutcomes(store.ended, { pipeline, scope, mark, startedAt, clockOffsetMs });
    const measured = await measure(outcomesOf({ outcomes, offered, drainMs }), { mark, offered, clockOffsetMs, warmUpMs: surge.settledMs });
    return {
      side: side.name,
      repetition,
      ...(await memoryOf(options, startedAt + clockOffsetMs)),
      ...(await latenessOf(options, scope, sloMs)),
      ...(measured.latency && { latency: measured.latency }),
      offered: offered.offered,
      lost: measured.unfinished,
      decisions: counted((await store.control.latest(pipeline, 1_000)).map(({ decided: { mode, why } }) => `${mode}: ${why}`)),
      latenessMs: offered.lateness?.p99 ?? 0,
    };
  } finally {
    await worker.stop();
    await store.settings.change({ pipeline, change: { control: { mode: 'off' } }, by: BY });
    await store.definitions.setAllocation({ pipeline, version: version.name, stages: side.start, by: BY });
  }
}

/** As if nothing had been before. */
async function prepare({ platform: { store, spec }, sql, version, side, surge, sloMs }: SurgeCellOptions): Promise<void> {
  const pipeline = spec.name;
  await sql.query('truncate autoflow.controls, autoflow.control_steps');
  await store.definitions.setAllocation({ pipeline, version: version.name, stages: side.start, by: BY });
  const control = { mode: side.controller === undefined ? ('off' as const) : ('auto' as const), intervalMs: surge.intervalMs };
  await store.settings.change({
    pipeline,
    change: { autonomy: 'auto', control, objective: { minimise: 'cost', p99Ms: sloMs } },
    by: BY,
  });
  if (!side.trusted) return;
  const state = { mode: 'shadow', why: '', version: version.name, agentStands: true, comparisons: [], sinceComparison: -1e6 } as const;
  await store.control.claim({ pipeline, holder: 'benchmark', forMs: 1_000 });
  await store.control.release(pipeline, 'benchmark', state);
}

async function memoryOf({ platform: { spec }, sql, version, surge, side }: SurgeCellOptions, startedAt: number) {
  const endsAt = startedAt + surge.trace.durationMs;
  const { rows: changes } = await sql.query<{ at: Date; actor: string; stages: Allocation }>(
    `select at, actor, after -> 'stages' as stages from autoflow.audit
      where pipeline = $1 and action = 'allocation.set' and after ->> 'version' = $2 and at >= $3 and at < $4 order by at`,
    [spec.name, version.name, new Date(startedAt), new Date(endsAt)],
  );
  const { rows } = await sql.query<{ held: number }>(
    `select coalesce(sum(provisioned_mb_s), 0)::float8 as held from autoflow.pool_usage
      where pipeline = $1 and version = $2 and from_at >= $3 and from_at < $4`,
    [spec.name, version.name, new Date(startedAt), new Date(endsAt)],
  );
  // The allocation as steps over the time of the trace.
  const steps = [
    { ms: 0, mb: megabytes(side.start) },
    ...changes.map(({ at, stages }) => ({ ms: at.getTime() - startedAt, mb: megabytes(stages) })),
  ];
  const over = (from: number, to: number): number =>
    steps.reduce((sum, { ms, mb }, i) => sum + mb * Math.max(0, Math.min(to, steps[i + 1]?.ms ?? to) - Math.max(from, ms)), 0) / 1000;
  const { settledMs, beginsMs, endsMs, trace } = surge;
  const beforeMb = (1000 * over(settledMs, beginsMs)) / (beginsMs - settledMs);
  const at = (ms: number): number => steps.findLast((step) => step.ms <= ms)!.mb;
  const moments = [endsMs, ...steps.map(({ ms }) => ms).filter((ms) => ms > endsMs)];
  const back = moments.find((ms) => at(ms) <= RETURNED * beforeMb);
  return {
    reservedMbS: over(settledMs, trace.durationMs),
    heldMbS: rows[0]!.held,
    beforeMb,
    mostMb: Math.max(...steps.filter(({ ms }) => ms <= endsMs).map(({ mb }) => mb)),
    returnsInMs: back === undefined ? null : back - endsMs,
    changes: changes.length,
    byActor: counted(changes.map(({ actor }) => actor)),
  };
}

function counted(names: readonly string[]): { readonly [name: string]: number } {
  const counts: { [name: string]: number } = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const megabytes = (stages: Allocation): number =>
  Object.values(stages).reduce((sum, { memoryMb, concurrency }) => sum + memoryMb * concurrency, 0);

/** From the arrival in the inbox, which is when the generator sent it. */
async function latenessOf({ platform: { spec }, sql }: SurgeCellOptions, scope: string, sloMs: number) {
  const { rows } = await sql.query<{ late: number; dead: number }>(
    `select coalesce(avg((coalesce(ended_at, now()) - arrived_at > $3 * interval '1 millisecond')::int), 0)::float8 as late,
            count(*) filter (where state = 'dead')::int as dead
       from autoflow.records where pipeline = $1 and scope = $2`,
    [spec.name, scope, sloMs],
  );
  return rows[0]!;
}
