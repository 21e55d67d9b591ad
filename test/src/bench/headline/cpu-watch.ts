import { childrenOf, treeCpuMs } from '../cpu.js';

const WATCHED = ['optimizer-process', 'learner-process'];
const WATCH_MS = 500;

/** CPU seconds of the children of a worker that compute for an optimization: the last that was seen of each. */
export function watchCpu(workerPid: number): { stop(): number } {
  const seen = new Map<number, number>();
  const look = (): void => {
    for (const pid of WATCHED.flatMap((text) => childrenOf(workerPid, text))) seen.set(pid, Math.max(seen.get(pid) ?? 0, treeCpuMs([pid])));
  };
  const watching = setInterval(look, WATCH_MS);
  return {
    stop: () => {
      clearInterval(watching);
      return [...seen.values()].reduce((sum, ms) => sum + ms, 0) / 1000;
    },
  };
}
