import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { trainInChild } from './train-in-child.js';

it('training that was ended goes on from its last epoch, and comes to the model that it would have come to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gcn-'));
  const settings = { seed: 3, quick: true, pipelines: 8 };
  const [whole, resumed] = [join(folder, 'whole.json'), join(folder, 'resumed.json')];
  const figures = await trainInChild({ ...settings, out: whole });
  const abort = new AbortController();
  const ended = trainInChild({
    ...settings,
    out: resumed,
    signal: abort.signal,
    progress: (line) => line.startsWith('epoch 3 of') && abort.abort(),
  });
  await expect(ended).rejects.toThrow('abort');
  await expect(readFile(resumed)).rejects.toThrow('ENOENT');
  const lines: string[] = [];
  const again = await trainInChild({ ...settings, out: resumed, progress: (line) => lines.push(line) });
  expect(lines.find((line) => line.startsWith('goes on'))).toMatch(/^goes on after epoch ([3-9]|1[0-4])$/);
  expect(again).toMatchObject({ dataHash: figures['dataHash'] });
  expect(await readFile(resumed, 'utf8')).toBe(await readFile(whole, 'utf8'));
});
