import { positive } from './profile.js';
import { uniform } from './random.js';
import type { Trace } from './trace.js';

/**
 * The arrivals of a log, `speed` times as fast, from the first one on; every one of them is kept. A log is only as exact as its clock: those
 * that share a tick of `tickMs` are spread over it at random, else a shop that books by the minute would arrive in one burst a minute.
 */
export function timestampTrace(name: string, epochMs: readonly number[], { speed, tickMs = 0 }: TimestampOptions): Trace {
  positive(speed, 'speed');
  if (epochMs.length === 0) throw new RangeError('There are no timestamps.');
  const sorted = Float64Array.from(epochMs).sort();
  const first = sorted[0]!;
  if (!Number.isFinite(first) || !Number.isFinite(sorted[sorted.length - 1]!)) throw new RangeError('A timestamp is no finite number.');
  const durationMs = (sorted[sorted.length - 1]! - first + Math.max(tickMs, 1)) / speed;
  return {
    name,
    durationMs,
    expected: sorted.length,
    arrivals: (seed) => ({ [Symbol.iterator]: () => spread(sorted, tickMs, uniform(seed), (ms) => (ms - first) / speed) }),
  };
}
export interface TimestampOptions {
  readonly speed: number;
  readonly tickMs?: number;
}

/** Tick by tick, so that memory is that of the fullest tick. */
function* spread(sorted: Float64Array, tickMs: number, random: () => number, at: (ms: number) => number): Generator<number> {
  for (let i = 0; i < sorted.length;) {
    const tick = sorted[i]!;
    const offsets: number[] = [];
    for (; i < sorted.length && sorted[i] === tick; i++) offsets.push(random() * tickMs);
    for (const offset of offsets.sort((a, b) => a - b)) yield at(tick + offset);
  }
}
