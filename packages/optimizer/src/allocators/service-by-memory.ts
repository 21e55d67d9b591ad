import { MB_PER_CORE, type ControlledPipeline } from '@autoflow/twin';

/** Of one stage at one memory size: invocations, their time on an instance together, and of it the CPU's, in milliseconds. */
export interface Served {
  readonly served: number;
  readonly serviceMs: number;
  readonly cpuMs: number;
}

/**
 * Mean time of an invocation, in milliseconds, at `toMb` instead of `fromMb`, where CPU follows memory: w + (c / σ(fromMb)) · σ(fromMb) / σ(toMb)
 * with σ(m) = m / 1769 cores, as many as are used at most, CPU time c, and all else w. Bursts shorter than the CPU's period are not held back,
 * and are told as if they were: less memory is never told too fast.
 */
export function serviceAt({ served, serviceMs, cpuMs }: Served, fromMb: number, toMb: number): number {
  if (serviceMs === 0) return 0;
  const cores = Math.max(1, cpuMs / serviceMs);
  const share = (memoryMb: number): number => Math.min(cores, memoryMb / MB_PER_CORE);
  const computing = Math.min(serviceMs, cpuMs / share(fromMb));
  return (serviceMs + computing * (share(fromMb) / share(toMb) - 1)) / served;
}

/** By stage, the slowest way through the pipeline that leads through it when each stage takes so long. */
export function waysThrough({ stages }: Pick<ControlledPipeline, 'stages'>, serviceMs: ArrayLike<number>): number[] {
  const until: number[] = [];
  const from: number[] = [];
  stages.forEach(({ after }, s) => (until[s] = serviceMs[s]! + Math.max(0, ...after.map((before) => until[before]!))));
  for (let s = stages.length - 1; s >= 0; s--) from[s] = Math.max(0, ...stages[s]!.followers.map((next) => serviceMs[next]! + from[next]!));
  return until.map((ms, s) => ms + from[s]!);
}
