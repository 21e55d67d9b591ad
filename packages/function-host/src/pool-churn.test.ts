import { useTestStack } from '@autoflow/local-stack/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHostBench, type HostBench } from './testing/host-bench.js';
import { churnPools } from './testing/pool-churn.js';

const stack = useTestStack();
let bench: HostBench;
beforeAll(
  async () => void (bench = await createHostBench({ temporal: stack.temporal, folder: stack.folder, module: 'echo', idleMs: 500 })),
);
afterAll(() => bench.close());

it('makes and removes pools under load, strands no task and leaves nothing behind', async () => {
  const churn = await churnPools(bench, { pools: 10, rounds: 2 });
  expect(churn.tasks).toBeGreaterThan(churn.pools);
  expect(churn).toMatchObject({ removals: 20, stranded: 0, failed: 0, left: { pools: 0, processes: 0, groups: 0 } });
}, 180_000);
