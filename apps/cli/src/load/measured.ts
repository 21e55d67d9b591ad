/** From outcomes to figures: what became of the records of a run, and how long after their intended arrival. */
import { Histogram, type Summary } from './histogram.js';
import type { Offered } from './open-loop.js';
import type { RunMark } from './run-mark.js';

export interface EndedRecord {
  readonly key: string;
  readonly state: 'completed' | 'filtered' | 'dead' | 'cancelled';
  /** Milliseconds since the epoch, by the clock of whoever settles. */
  readonly endedAt: number;
}

export interface MeasureOptions {
  readonly mark: RunMark;
  readonly offered: Offered;
  /** The settling clock minus ours. */
  readonly clockOffsetMs: number;
  /** Records meant to arrive earlier warm things up: they are counted as outcomes, but neither as rate nor as latency. */
  readonly warmUpMs?: number;
  /** How late a record may leave (p99, default 100 ms) before the load was not what it claims to be. */
  readonly latenessBoundMs?: number;
}

export interface Measured {
  /** Per second, of the trace, after the warm-up. */
  readonly offeredRate: number;
  /** Per second: outcomes within the same span of time. */
  readonly achievedRate: number;
  /** Milliseconds from the intended arrival to the outcome; undefined when nothing ended. */
  readonly latency: Summary | undefined;
  readonly outcomes: { readonly completed: number; readonly filtered: number; readonly dead: number; readonly cancelled: number };
  /** Accepted, and without an outcome when the last arrival was due; `unfinished`: still so when measuring ended. */
  readonly backlog: number;
  readonly unfinished: number;
  /** Why these figures must not be quoted; empty: they may. */
  readonly invalid: readonly string[];
}

export const DEFAULT_LATENESS_BOUND_MS = 100;

export async function measure(ended: AsyncIterable<EndedRecord> | Iterable<EndedRecord>, options: MeasureOptions): Promise<Measured> {
  const { mark, offered, clockOffsetMs, warmUpMs = 0, latenessBoundMs = DEFAULT_LATENESS_BOUND_MS } = options;
  const latency = new Histogram();
  const outcomes = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
  const from = offered.startedAt + warmUpMs;
  const seconds = Math.max(offered.endedAt - from, 1) / 1000;
  let [endedBefore, endedWithin] = [0, 0];
  for await (const { key, state, endedAt } of ended) {
    const intendedMs = mark.intendedMs(key);
    if (intendedMs === undefined) continue;
    const at = endedAt - clockOffsetMs;
    outcomes[state]++;
    if (at <= offered.endedAt) endedBefore++;
    if (at >= from && at <= offered.endedAt) endedWithin++;
    if (intendedMs >= warmUpMs) latency.record(Math.max(0, at - (offered.startedAt + intendedMs)));
  }
  const total = outcomes.completed + outcomes.filtered + outcomes.dead + outcomes.cancelled;
  const share = (offered.endedAt - from) / Math.max(offered.endedAt - offered.startedAt, 1);
  return {
    offeredRate: (offered.offered * share) / seconds,
    achievedRate: endedWithin / seconds,
    latency: latency.summary(),
    outcomes,
    backlog: Math.max(0, offered.accepted - endedBefore),
    unfinished: Math.max(0, offered.accepted - total),
    invalid: reasons(offered, latenessBoundMs),
  };
}

function reasons({ lateness, failed, failure, offered }: Offered, boundMs: number): string[] {
  const found: string[] = [];
  if (offered === 0) found.push('nothing was due: the trace has no arrival in its duration');
  if (lateness !== undefined && lateness.p99 > boundMs)
    found.push(
      `records left up to ${lateness.max.toFixed(0)} ms late (p99 ${lateness.p99.toFixed(0)} ms, bound ${boundMs} ms): the generator was the bottleneck, or as much was unanswered as it may hold`,
    );
  if (failed > 0) found.push(`${failed} records were sent and nobody knows whether they were taken: ${failure ?? 'no reason was given'}`);
  return found;
}
