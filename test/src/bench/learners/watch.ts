/** What a training leaves while it runs, looked at from outside: its parameters, who added to them, and what its learners tell with their heartbeats. */
import { setTimeout as delay } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { Lab } from './lab.js';

const LOOK_EVERY_MS = 1_500;

export interface Moment {
  readonly seconds: number;
  readonly steps: number;
  readonly version: number;
  readonly weights: Float32Array;
}

/** A change that was applied. */
export interface Push {
  readonly version: number;
  readonly learner: number;
  /** Versions between the one that it was computed from and the one that it was added to. */
  readonly lag: number;
  /** Decisions behind the version. */
  readonly steps: number;
  readonly at: Date;
}

export interface Beat {
  readonly learner: number;
  readonly host: string;
  readonly exchanges: number;
  readonly refused: number;
  /** Since it began to learn, and how much of it was not learning or validating: reading and writing parameters. */
  readonly ms: number;
  readonly storeMs: number;
}

export interface Watched {
  readonly moments: readonly Moment[];
  readonly pushes: readonly Push[];
  /** The last of each learner. */
  readonly beats: ReadonlyMap<number, Beat>;
}

/** Looks until `ended` has settled, and once more; `onLook` is called with what is known by then. */
export async function watch(
  lab: Lab,
  {
    training,
    handle,
    startedAt,
    ended,
    onLook,
  }: {
    readonly training: string;
    readonly handle: WorkflowHandle;
    readonly startedAt: number;
    readonly ended: Promise<unknown>;
    readonly onLook?: (watched: Watched) => Promise<void>;
  },
): Promise<Watched> {
  const moments: Moment[] = [];
  const pushes: Push[] = [];
  const beats = new Map<number, Beat>();
  let over = false;
  void ended.catch(() => {}).then(() => (over = true));
  for (let last = false; !last;) {
    last = over;
    const moment = await latest(lab, training, startedAt);
    if (moment !== undefined && moment.version !== moments.at(-1)?.version) moments.push(moment);
    pushes.push(...(await pushesAfter(lab, training, pushes.at(-1)?.version ?? 0)));
    for (const beat of await beatsOf(handle)) beats.set(beat.learner, beat);
    if (!last) await onLook?.({ moments, pushes, beats });
    if (!last) await Promise.race([delay(LOOK_EVERY_MS), ended.catch(() => {})]);
  }
  return { moments, pushes, beats };
}

/** Undefined: no learner has brought the first parameters yet. */
async function latest({ platform: { store } }: Lab, training: string, startedAt: number): Promise<Moment | undefined> {
  if ((await store.trainings.get(training)) === undefined) return undefined;
  const { version, steps, weights } = await store.trainings.pull(training);
  return { seconds: (Date.now() - startedAt) / 1000, steps, version, weights };
}

/** Only the newest versions are kept: more of them than come between two looks. */
async function pushesAfter({ sql }: Lab, training: string, version: number): Promise<Push[]> {
  const { rows } = await sql.query<Push>(
    `select version, learner, version - 1 - base as lag, steps::float8 as steps, created_at as at
       from autoflow.training_parameters where training = $1 and version > $2 and learner is not null order by version`,
    [training, version],
  );
  return rows;
}

async function beatsOf(handle: WorkflowHandle): Promise<Beat[]> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails, lastWorkerIdentity }) => {
    const [payload] = heartbeatDetails?.payloads ?? [];
    const told = payload && defaultPayloadConverter.fromPayload<Partial<Omit<Beat, 'host'>>>(payload);
    // The first heartbeat may be before the first exchange.
    if (told?.learner === undefined) return [];
    const { learner, exchanges = 0, refused = 0, ms = 0, storeMs = 0 } = told;
    return [{ learner, host: (lastWorkerIdentity ?? '').replace(/\/learner$/, ''), exchanges, refused, ms, storeMs }];
  });
}
