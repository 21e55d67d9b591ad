import { setTimeout as delay } from 'node:timers/promises';
import type { EndedRecordsStore } from '@autoflow/store';
import { systemClock } from './clock.js';
import type { EndedRecord } from './measured.js';
import type { Offered } from './open-loop.js';
import type { RunMark } from './run-mark.js';

const ROUND_TRIPS = 9;
const POLL_MS = 500;
/** An outcome bears the time at which its settlement began, and is seen when that is committed. */
const SETTLING_MS = 5_000;

/** Where it is known what became of the records of a run. */
export interface Outcomes {
  /** Whether every one of so many accepted records has its outcome. */
  areAll(accepted: number): Promise<boolean>;
  read(): AsyncIterable<EndedRecord>;
}

export interface DrainOptions {
  readonly outcomes: Outcomes;
  readonly offered: Offered;
  /** How long after the last arrival outcomes are waited for. */
  readonly drainMs: number;
  readonly signal?: AbortSignal;
}

/** The outcomes of a run, after every accepted record has one or the time to wait is over. */
export async function* outcomesOf({ outcomes, offered, drainMs, signal }: DrainOptions): AsyncIterable<EndedRecord> {
  const deadline = offered.endedAt + drainMs;
  while (signal?.aborted !== true && systemClock.now() < deadline && !(await outcomes.areAll(offered.accepted)))
    await delay(POLL_MS, undefined, { ...(signal && { signal }) }).catch(() => {});
  yield* outcomes.read();
}

/** As the database knows them, from the start of the run on. */
export function storedOutcomes(
  ended: EndedRecordsStore,
  run: {
    readonly pipeline: string;
    readonly scope: string;
    readonly mark: RunMark;
    readonly startedAt: number;
    readonly clockOffsetMs: number;
  },
): Outcomes {
  const query = () => ({
    pipeline: run.pipeline,
    scope: run.scope,
    mark: run.mark.text,
    from: run.startedAt + run.clockOffsetMs - SETTLING_MS,
    to: systemClock.now() + run.clockOffsetMs + SETTLING_MS,
  });
  return {
    areAll: async (accepted) => (await ended.count(query())) >= accepted,
    read: () => ended.read(query()),
  };
}

/** The database's clock minus ours, in milliseconds: of several round trips the shortest, taken in its middle. */
export async function clockOffset(ended: Pick<EndedRecordsStore, 'clock'>): Promise<number> {
  let best = { tookMs: Infinity, offset: 0 };
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const before = systemClock.now();
    const theirs = await ended.clock();
    const tookMs = systemClock.now() - before;
    if (tookMs < best.tookMs) best = { tookMs, offset: theirs - (before + tookMs / 2) };
  }
  return best.offset;
}
