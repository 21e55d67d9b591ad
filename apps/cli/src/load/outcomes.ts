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

export interface OutcomesOptions {
  readonly ended: EndedRecordsStore;
  readonly pipeline: string;
  readonly scope: string;
  readonly mark: RunMark;
  readonly offered: Offered;
  readonly clockOffsetMs: number;
  /** How long after the last arrival outcomes are waited for. */
  readonly drainMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (ended: number) => void;
}

/** The outcomes of a run, after every accepted record has one or the time to wait is over. */
export async function* outcomesOf(options: OutcomesOptions): AsyncIterable<EndedRecord> {
  const { ended, pipeline, scope, mark, offered, clockOffsetMs, drainMs, signal, onProgress } = options;
  const query = () => ({
    pipeline,
    scope,
    mark: mark.text,
    from: offered.startedAt + clockOffsetMs - SETTLING_MS,
    to: systemClock.now() + clockOffsetMs + SETTLING_MS,
  });
  const deadline = offered.endedAt + drainMs;
  for (;;) {
    const found = await ended.count(query());
    onProgress?.(found);
    if (found >= offered.accepted || systemClock.now() >= deadline || signal?.aborted === true) break;
    await delay(POLL_MS, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
  yield* ended.read(query());
}
