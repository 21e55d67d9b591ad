import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';

export interface Usage {
  readonly cpuMs: number;
  readonly runQueueMs: number;
  readonly peakMemoryMb: number;
}

/** Starts measuring this process; the function answers what it used since. Linux; elsewhere the run-queue wait is 0 and the peak is that of its life. */
export function startMeter(): () => Usage {
  const cpu = process.cpuUsage();
  watchThreads();
  const waitedMs = runQueueMs();
  forgetPeak();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, runQueueMs: Math.max(0, runQueueMs() - waitedMs), peakMemoryMb: peakMemoryMb() };
  };
}

/** Open `schedstat` of every thread, by its id. Kept open: to open them anew for every invocation took a third of its time. */
const threads = new Map<string, number>();

function watchThreads(): void {
  for (const id of threadIds()) {
    if (!threads.has(id)) threads.set(id, open(`/proc/self/task/${id}/schedstat`, 'r') ?? -1);
  }
}

function threadIds(): string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}

/** Second number of schedstat, nanoseconds, summed over the threads: the process's own line is that of its first thread. */
function runQueueMs(): number {
  let ns = 0;
  for (const [id, file] of threads) {
    const line = read(file);
    if (line !== undefined) ns += Number(line.split(' ')[1]);
    else if (threads.delete(id) && file >= 0) closeSync(file);
  }
  return ns / 1e6;
}

const peakReset = open('/proc/self/clear_refs', 'w');
const status = open('/proc/self/status', 'r');

/** Sets the peak of resident memory (VmHWM) back to what is resident now. Where that is not possible, the peak is that of the process's life. */
function forgetPeak(): void {
  if (peakReset !== undefined) writeSync(peakReset, '5');
}

function peakMemoryMb(): number {
  const line = status === undefined ? undefined : /^VmHWM:\s+(\d+) kB/m.exec(read(status) ?? '');
  return Number(line?.[1] ?? process.resourceUsage().maxRSS) / 1024;
}

function open(path: string, flags: 'r' | 'w'): number | undefined {
  try {
    return openSync(path, flags);
  } catch {
    return undefined;
  }
}

const buffer = Buffer.alloc(8_192);

/** Undefined when the thread is gone. */
function read(file: number): string | undefined {
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  } catch {
    return undefined;
  }
}
