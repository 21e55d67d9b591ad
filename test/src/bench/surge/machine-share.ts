import { availableParallelism } from 'node:os';
import { treeCpuMs } from '../cpu.js';

/** Of the CPU that the machine has, what this process and all that it started used: in all, and in the busiest window. */
export interface MachineShare {
  readonly mean: number;
  readonly most: number;
}

const WINDOW_MS = 30_000;

/** From now until the answer is called. */
export function watchMachine(): () => MachineShare {
  const read = (): { readonly at: number; readonly cpuMs: number } => ({ at: performance.now(), cpuMs: treeCpuMs([process.pid]) });
  const reads = [read()];
  const timer = setInterval(() => reads.push(read()), WINDOW_MS).unref();
  return () => {
    clearInterval(timer);
    reads.push(read());
    const between = (a: number, b: number): number =>
      (reads[b]!.cpuMs - reads[a]!.cpuMs) / (reads[b]!.at - reads[a]!.at) / availableParallelism();
    // The last window is cut short: it may be of milliseconds.
    const windows = reads.slice(2).map((_, i) => between(i, i + 1));
    const mean = between(0, reads.length - 1);
    return { mean, most: Math.max(mean, ...windows) };
  };
}
