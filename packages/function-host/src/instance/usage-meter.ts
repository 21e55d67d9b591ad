import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Usage {
  readonly cpuMs: number;
  readonly runQueueMs: number;
  readonly peakMemoryMb: number;
}

/** Starts measuring this process; the function answers what it used since. Linux; elsewhere the run-queue wait is 0 and the peak is that of its life. */
export function startMeter(): () => Usage {
  const cpu = process.cpuUsage();
  const waitedMs = runQueueMs();
  forgetPeak();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, runQueueMs: Math.max(0, runQueueMs() - waitedMs), peakMemoryMb: peakMemoryMb() };
  };
}

/** Second number of schedstat, nanoseconds, summed over the threads: the process's own line is that of its first thread. */
function runQueueMs(): number {
  let ns = 0;
  for (const thread of threads()) ns += Number(read(`/proc/self/task/${thread}/schedstat`).split(' ')[1] ?? 0);
  return ns / 1e6;
}

function threads(): string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}

/** Sets the peak of resident memory (VmHWM) back to what is resident now. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: then the peak is that of the process's life.
  }
}

function peakMemoryMb(): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(read('/proc/self/status'));
  return (line === null ? process.resourceUsage().maxRSS : Number(line[1])) / 1024;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
