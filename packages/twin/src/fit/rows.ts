/** One attempt of one invocation as metering keeps it: the part of a stored row that the fit needs. Milliseconds, MB. */
export interface MeteredInvocation {
  readonly executionId: string;
  readonly version: string;
  readonly stage: string;
  readonly startedAt: Date;
  readonly gateMs: number;
  readonly coldStartMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly runQueueMs: number;
  readonly peakMemoryMb: number;
  readonly memoryMb: number;
  readonly recordsIn: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly outcome: string;
  readonly spans: readonly MeteredSpan[];
  /** Its batch: in the books, and with all of its outcomes. Absent where that is no longer known. */
  readonly openedAt?: Date;
  readonly closedAt?: Date;
  /** Of a batch that the feeder sent as a probe. */
  readonly probe?: true;
  /** Over recorded inputs: it tells of its functions, and nothing of the host around them. */
  readonly calibration?: true;
}
export interface MeteredSpan {
  readonly node: string;
  readonly recordsIn: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One function in one invocation, with the wait for a core taken out. */
export interface Sample {
  readonly version: string;
  readonly memoryMb: number;
  readonly peakMemoryMb: number;
  readonly records: number;
  readonly cpuMs: number;
  readonly ioMs: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
}

export interface SoundRows {
  readonly rows: readonly MeteredInvocation[];
  readonly notNumbers: number;
  readonly contradictory: number;
}

/** Rows that can be learned from: finished, all numbers finite, and possible. */
export function soundRows(all: readonly MeteredInvocation[]): SoundRows {
  const ended = all.filter(({ outcome, recordsIn }) => outcome === 'ok' && recordsIn !== 0);
  const numbers = ended.filter(isFinite);
  const rows = numbers.filter(isPossible);
  return { rows, notNumbers: ended.length - numbers.length, contradictory: numbers.length - rows.length };
}

function isFinite({ spans, startedAt, openedAt, closedAt, ...row }: MeteredInvocation): boolean {
  const finite = (value: unknown): boolean => typeof value !== 'number' || Number.isFinite(value);
  return (
    [startedAt, openedAt ?? startedAt, closedAt ?? startedAt].every((at) => Number.isFinite(at.getTime())) &&
    Object.values(row).every(finite) &&
    spans.every((span) => Object.values(span).every(finite))
  );
}

/** Work outside the main thread may make CPU exceed the time that passed, but not by the number of cores of any host. */
const MOST_THREADS = 64;
const CLOCK_MS = 1;

function isPossible({ durationMs, cpuMs, runQueueMs, recordsIn, spans }: MeteredInvocation): boolean {
  const positive = Math.min(durationMs, cpuMs, runQueueMs, recordsIn) >= 0;
  const within = spans.reduce((sum, { wallMs }) => sum + wallMs, 0) <= durationMs + CLOCK_MS + 0.05 * durationMs;
  const counted = spans.every(
    ({ recordsIn: n, filtered, dead, retried, wallMs, cpuMs: cpu }) =>
      Math.min(filtered, dead, retried, wallMs, cpu) >= 0 && filtered + dead + retried <= n && n <= recordsIn,
  );
  return positive && within && counted && cpuMs <= MOST_THREADS * (durationMs + CLOCK_MS);
}

/** By function. The wait for a core is known of the whole invocation; functions had it as they had CPU. */
export function samplesOf(rows: readonly MeteredInvocation[]): Map<string, Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const { version, memoryMb, peakMemoryMb, cpuMs, runQueueMs, spans } of rows)
    for (const span of spans) {
      if (span.recordsIn === 0) continue;
      const waited = cpuMs > 0 ? (runQueueMs * Math.min(span.cpuMs, cpuMs)) / cpuMs : 0;
      const own: Sample = {
        version,
        memoryMb,
        peakMemoryMb,
        records: span.recordsIn,
        cpuMs: span.cpuMs,
        ioMs: Math.max(0, span.wallMs - span.cpuMs - waited),
        filtered: span.filtered,
        dead: span.dead,
        retried: span.retried,
      };
      const list = samples.get(span.node);
      if (list) list.push(own);
      else samples.set(span.node, [own]);
    }
  return samples;
}
