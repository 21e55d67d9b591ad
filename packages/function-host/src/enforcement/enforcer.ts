import type { Enforcement } from '@autoflow/store';

export type Log = (level: 'warn', message: string) => void;

/** One process under its limits. */
export interface Confinement {
  /** Gives the process the CPU share of its memory from now on; start-up runs unthrottled, as on the priced cloud. */
  throttle(): void;
  /** Whether the memory limit is what killed the process. Asked after its end. */
  ranOutOfMemory(): boolean;
  /** Ends the process and whatever it started. */
  kill(): void;
  /** Gives back what the confinement holds. Called once, after the end of the process. */
  release(): void;
}

/** Holds processes to a memory limit (MB), the hardest way that this machine offers. */
export interface Enforcer {
  readonly kind: Enforcement;
  readonly cpuFollowsMemory: boolean;
  readonly why: string;
  confine(pid: number, memoryMb: number): Confinement;
  close(): void;
}

export const MB = 1024 * 1024;

/** The priced cloud gives one vCPU to 1,769 MB of memory, and in proportion to others. */
export const vCpusOf = (memoryMb: number): number => memoryMb / 1769;

/** Microseconds. Short, so that a small share means short waits; the kernel wants a quota of at least 1,000. */
export const CPU_PERIOD_US = 20_000;
export const cpuQuotaUs = (memoryMb: number): number => Math.max(1_000, Math.round(vCpusOf(memoryMb) * CPU_PERIOD_US));

export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
