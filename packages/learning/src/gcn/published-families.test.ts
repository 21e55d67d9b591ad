import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Evaluator } from '@autoflow/optimizer';
import { asWritten } from '@autoflow/topology';
import { MOST_FUNCTIONS, publishedProblem, readPublished } from './published-families.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-published-'));
  await mkdir(join(folder, 'wfinstances'));
  await mkdir(join(folder, 'jolteon'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Listed the wrong way round; every tenth task stands alone. */
const workflow = (tasks: number, parents: (task: number) => number[]) => ({
  workflow: {
    specification: { tasks: Array.from({ length: tasks }, (_, i) => ({ id: `t${i}`, parents: parents(i).map((p) => `t${p}`) })).reverse() },
    execution: {
      tasks: Array.from({ length: tasks }, (_, i) => ({
        id: `t${i}`,
        runtimeInSeconds: i % 7,
        avgCPU: 40 + i,
        memoryInBytes: 1e6 * (i + 1),
      })),
    },
  },
});
const write = (name: string, content: object) =>
  writeFile(join(folder, 'wfinstances', `${name}.json.gz`), gzipSync(JSON.stringify(content)));

it('cuts pipelines that can run out of workflows of any size, the same for the same seed', async () => {
  await write(
    'wide',
    workflow(60, (i) => (i === 0 || i % 10 === 0 ? [] : i % 3 === 0 ? [i - 1, i - 2] : [i - 1])),
  );
  const grid = (seconds: number) => [[[seconds, seconds]], [[2 * seconds, seconds]], [[3 * seconds, seconds]]];
  const stage = { read: grid(0.2), compute: grid(4), write: grid(0.1) };
  await writeFile(join(folder, 'jolteon', 'five_profile.json'), JSON.stringify(Object.fromEntries([1, 2, 3, 4, 5].map((i) => [i, stage]))));
  const found = await readPublished(folder);
  expect(found.map(({ family }) => family)).toEqual(['wfinstances-wide', 'jolteon-five']);
  const sizes = new Set<number>();
  for (const workflow of found)
    for (let seed = 1; seed <= 12; seed++) {
      const { problem, shape } = publishedProblem(workflow, seed);
      sizes.add(shape.length);
      expect(shape.length).toBeLessThanOrEqual(MOST_FUNCTIONS);
      expect(shape.filter((inputs) => inputs.length === 0)).toHaveLength(1);
      const taken = new Set(shape.flat());
      expect(shape.map((_, i) => i).filter((i) => !taken.has(i))).toEqual([shape.length - 1]);
      expect(asWritten(problem.spec).stages).toHaveLength(shape.length);
      expect(new Evaluator(problem, 1).evaluate({ ...problem.start, steps: [] })).toBeDefined();
      expect(publishedProblem(workflow, seed)).toEqual({ problem, shape });
    }
  expect(sizes.size).toBeGreaterThan(3);
});

it('refuses a workflow whose tasks wait for each other', async () => {
  await write(
    'circle',
    workflow(3, (i) => [(i + 1) % 3]),
  );
  await expect(readPublished(folder)).rejects.toThrow('round in a circle');
});
