import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChild } from './asked-child.js';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoflow-child-'));
  program = join(folder, 'child.mjs');
  await writeFile(
    program,
    `process.on('message', ({ kind }) => {
       if (kind === 'hang') for (;;);
       process.send({ kind: 'progress' });
       process.send({ kind: 'answered' });
     });`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

type Asked = {
  readonly [kind in 'say' | 'hang']: { readonly request: { readonly kind: kind }; readonly answer: { readonly kind: string } };
};

test('a process that is asked and says nothing for too long is given up; until then it is heard', async () => {
  let heard = 0;
  const child = startChild<Asked>(program, { told: () => heard++, silentMs: 5_000 });
  expect(await child.ask<'say'>({ kind: 'say' })).toEqual({ kind: 'answered' });
  expect(heard).toBe(1);
  await expect(child.ask<'hang'>({ kind: 'hang' })).rejects.toMatchObject({
    code: 'SILENT',
    message: 'The process has said nothing for 5 s.',
  });
  await child.kill();
});
