import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observed } from '@autoflow/optimizer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { controllerThread, type Controller } from './controller.js';

const OBSERVED: Observed = {
  pipeline: {
    stages: [{ name: 'only', after: [], followers: [], concurrency: { min: 1, max: 9 }, memoryMb: [512] }],
    sloMs: 1_000,
    coldStartMs: 100,
    intervalMs: 15_000,
  },
  services: [{ ms: 100, cv: 0 }],
  ticks: [],
};

let folder: string;
let controller: Controller;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-controller-'));
  const program = join(folder, 'thread.mjs');
  // Hangs at a late record's cost of 1, ends at 2; else it tells how often it was asked.
  await writeFile(
    program,
    `import { parentPort } from 'node:worker_threads';
     let asked = 0;
     parentPort.on('message', ({ id, lateCost }) => {
       if (lateCost === 1) for (;;);
       if (lateCost === 2) process.exit();
       parentPort.postMessage({ kind: 'decided', id, policy: String(++asked), fallback: { targets: [], reasons: [] } });
     });`,
  );
  controller = controllerThread({ program, withinMs: 2_000 });
});
afterEach(async () => {
  await controller.close();
  await rm(folder, { recursive: true });
});

test('a thread that hangs is given up with all that it was asked, and the next question is answered by another', async () => {
  expect(await controller.decide(OBSERVED, 20)).toMatchObject({ policy: '1' });
  const [hung, behind] = await Promise.all([controller.decide(OBSERVED, 1), controller.decide(OBSERVED, 20)]);
  for (const answer of [hung, behind]) {
    expect(answer).toMatchObject({ without: 'the controller did not answer within 2 s', fallback: { targets: expect.any(Array) } });
    expect(answer).not.toHaveProperty('policy');
  }
  expect(await controller.decide(OBSERVED, 20)).toMatchObject({ policy: '1' });
  expect(await controller.decide(OBSERVED, 20)).toMatchObject({ policy: '2' });
});

test('a comparison that hangs rejects, and takes no later decision with it', async () => {
  await expect(controller.compare(OBSERVED, 1)).rejects.toThrow('did not answer within 2 s');
  expect(await controller.decide(OBSERVED, 20)).toMatchObject({ policy: '1' });
});

test('a thread that ends is started anew', async () => {
  expect(await controller.decide(OBSERVED, 2)).toMatchObject({ without: 'the thread of the controller ended' });
  expect(await controller.decide(OBSERVED, 20)).toMatchObject({ policy: '1' });
});
