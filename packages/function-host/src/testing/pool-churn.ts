import { readdirSync } from 'node:fs';
import { cgroupV1 } from '../enforcement/cgroup-v1.js';
import { cgroupV2 } from '../enforcement/cgroup-v2.js';
import type { HostBench } from './host-bench.js';

export interface Churn {
  readonly pools: number;
  /** Pools removed (and, but for the last, made again), over all rounds. */
  readonly removals: number;
  readonly tasks: number;
  /** Attempts beyond the first: tasks that a Worker took along into its end. */
  readonly stranded: number;
  readonly failed: number;
  /** What is left when no pool is desired any more. */
  readonly left: { readonly pools: number; readonly processes: number; readonly groups: number };
  readonly residentMb: { readonly before: number; readonly after: number };
  readonly seconds: number;
}

/**
 * Makes and removes pools while tasks for all of them keep coming: in turns, every other pool is not desired, and must be drained.
 * What comes for a pool that is not there waits until it is made again. The bench's module must be `echo`.
 */
export async function churnPools(
  bench: HostBench,
  { pools: count, rounds }: { readonly pools: number; readonly rounds: number },
): Promise<Churn> {
  const begin = performance.now();
  const before = residentMb();
  const pools = Array.from({ length: count }, (_, i) => bench.pool({ version: `v${i}`, memoryMb: 128, concurrency: 1 }));
  const load = keepDispatching(bench, pools);
  let removals = 0;
  for (let round = 0; round < rounds; round++) {
    await bench.desired.set(pools);
    const kept = pools.filter((_, i) => i % 2 === round % 2);
    await bench.desired.set(kept);
    removals += pools.length - kept.length;
  }
  await bench.desired.set(pools);
  const { tasks, failed } = await load.stop();
  await bench.desired.set([]);
  return {
    pools: count,
    removals: removals + count,
    tasks,
    stranded: bench.rows.filter(({ attempt }) => attempt > 1).length,
    failed,
    left: { pools: bench.desired.acknowledged.length, processes: childProcesses(), groups: ownGroups() },
    residentMb: { before, after: residentMb() },
    seconds: (performance.now() - begin) / 1000,
  };
}

const LANES = 8;

/** Tasks for each pool in turn, from a few lanes at once; `stop` resolves when all of them are done. */
function keepDispatching(
  bench: HostBench,
  pools: readonly ReturnType<HostBench['pool']>[],
): { stop(): Promise<{ tasks: number; failed: number }> } {
  const results: Promise<unknown>[] = [];
  let going = true;
  let tasks = 0;
  let failed = 0;
  const lane = async (): Promise<void> => {
    const input = await bench.batch([{ id: '1', payload: 'x' }]);
    while (going) {
      const handle = await bench.dispatch(pools[tasks++ % pools.length]!, input, { nodes: ['stamp'] });
      results.push(handle.result().catch(() => failed++));
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  return {
    async stop() {
      going = false;
      await Promise.all(lanes);
      await Promise.all(results);
      return { tasks, failed };
    },
  };
}

const childProcesses = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;
const residentMb = (): number => Math.round(process.memoryUsage.rss() / 1024 / 1024);

function ownGroups(): number {
  const parents = (cgroupV2() ?? cgroupV1())?.parents ?? [];
  return parents.flatMap((parent) => readdirSync(parent)).filter((name) => name.startsWith(`autoflow-${process.pid}-`)).length;
}
