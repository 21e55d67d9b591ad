/** One side under the surge, on the real stack, from an idle stack to an idle stack. */
import { systemClock, type Summary } from '@autoflow/cli/load';
import type { Fields } from '@autoflow/pipeline';
import type { Allocation } from '@autoflow/topology';
import type { ControllerSettings } from '@autoflow/worker';
import type pg from 'pg';
import { endControl, heldMbS, latenessOf, resetControl } from '../cells/control.js';
import { inboxDoor, underLoad } from '../cells/load.js';
import type { BenchPlatform, BenchVersion } from '../platform.js';
import { watchMachine, type MachineShare } from './machine-share.js';
import { memoryOver, returnsIn } from './returns.js';
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
  /** Accepted and without an outcome; and dead. */
  readonly lost: number;
  readonly dead: number;
  /** Reserved memory: mean of before, most during the surge, and how long after it until it is at most 1.2 times that of before, then and on average to the end. */
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly returnsInMs: number | null;
  readonly changes: number;
  readonly byActor: { readonly [actor: string]: number };
  /** Decisions, by who decided and why. */
  readonly decisions: { readonly [why: string]: number };
  readonly latenessMs: number;
  /** Of all sides together, while this one was measured. */
  readonly machine: MachineShare;
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

const RETURNED = 1.2;
const WARM_UP_MS = 3_000;

export async function runSurgeCell(options: SurgeCellOptions): Promise<SurgeCell> {
  const { platform, sql, version, side, surge, repetition, sloMs, drainMs, records } = options;
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
    const machineOf = watchMachine();
    const { measured, offered, scope, clockOffsetMs } = await underLoad({
      platform,
      trace: surge.trace,
      seed: 1 + repetition,
      warmUpMs: surge.settledMs,
      drainMs,
      records,
      door: (run) => inboxDoor(platform, run),
    });
    const machine = machineOf();
    return {
      side: side.name,
      repetition,
      ...(await memoryOf(options, offered.startedAt + clockOffsetMs)),
      ...(await latenessOf(platform, sql, scope, sloMs)),
      ...(measured.latency && { latency: measured.latency }),
      offered: offered.offered,
      lost: measured.unfinished,
      decisions: counted((await store.control.latest(pipeline, 1_000)).map(({ decided: { mode, why } }) => `${mode}: ${why}`)),
      latenessMs: offered.lateness?.p99 ?? 0,
      machine,
    };
  } finally {
    await worker.stop();
    await endControl(platform, version.name, side.start);
  }
}

async function prepare({ platform, sql, version, side, surge, sloMs }: SurgeCellOptions): Promise<void> {
  const { store, spec } = platform;
  const pipeline = spec.name;
  const mode = side.controller === undefined ? 'off' : 'auto';
  await resetControl(platform, sql, { version: version.name, start: side.start, mode, intervalMs: surge.intervalMs, sloMs });
  if (!side.trusted) return;
  const state = { mode: 'shadow', why: '', version: version.name, agentStands: true, comparisons: [], sinceComparison: -1e6 } as const;
  await store.control.claim({ pipeline, holder: 'benchmark', forMs: 1_000 });
  await store.control.release(pipeline, 'benchmark', state);
}

async function memoryOf({ platform, sql, version, surge, side }: SurgeCellOptions, startedAt: number) {
  const endsAt = startedAt + surge.trace.durationMs;
  const { rows: changes } = await sql.query<{ at: Date; actor: string; stages: Allocation }>(
    `select at, actor, after -> 'stages' as stages from autoflow.audit
      where pipeline = $1 and action = 'allocation.set' and after ->> 'version' = $2 and at >= $3 and at < $4 order by at`,
    [platform.spec.name, version.name, new Date(startedAt), new Date(endsAt)],
  );
  // The allocation as steps over the time of the trace.
  const steps = [
    { ms: 0, mb: megabytes(side.start) },
    ...changes.map(({ at, stages }) => ({ ms: at.getTime() - startedAt, mb: megabytes(stages) })),
  ];
  const { settledMs, beginsMs, endsMs, trace } = surge;
  const beforeMb = memoryOver(steps, settledMs, beginsMs) / (beginsMs - settledMs);
  return {
    reservedMbS: memoryOver(steps, settledMs, trace.durationMs) / 1000,
    heldMbS: await heldMbS(platform, sql, version.name, new Date(startedAt), new Date(endsAt)),
    beforeMb,
    mostMb: Math.max(...steps.filter(({ ms }) => ms <= endsMs).map(({ mb }) => mb)),
    returnsInMs: returnsIn(steps, { endsMs, untilMs: trace.durationMs }, RETURNED * beforeMb),
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
