import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChild } from './child.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-child-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function program(name: string, text: string) {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, text);
  return { name, program: file, env: { PATH: process.env['PATH'] }, logFile: join(folder, `${name}.log`) };
}
const STAYS = 'setInterval(() => {}, 1000);';

it('is ready when it says so over IPC, whatever it logs, and goes when it is told', async () => {
  const child = await startChild(await program('ready', `process.send({ url: 'here' }); ${STAYS}`));
  expect(child.ready).toEqual({ url: 'here' });
  await child.stop();
  expect(await child.gone).toEqual({ code: null, signal: 'SIGTERM' });
});

it('one that ends early says why with the end of its log, however long that is', async () => {
  const text = `process.stdout.write('x'.repeat(200_000) + '\\nthe port is taken\\n', () => process.exit(7));`;
  const failed = await startChild(await program('early', text)).catch((error: Error) => error.message);
  expect(failed).toMatch(/^early ended before it was ready \(exit code 7\):\nx+\nthe port is taken$/);
  expect(String(failed).length).toBeLessThan(70_000);
});

it('one that is late is ended', async () => {
  const late = { ...(await program('late', STAYS)), readyWithinMs: 1 };
  await expect(startChild(late)).rejects.toThrow('late was not ready within 0.001 s');
});

it('one whose start is interrupted is ended', async () => {
  const asked = new AbortController();
  const starting = startChild({ ...(await program('interrupted', STAYS)), signal: asked.signal });
  asked.abort(new Error('Ctrl-C'));
  await expect(starting).rejects.toThrow('Ctrl-C');
});
