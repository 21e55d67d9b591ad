/** The demo as a user runs it, whole: some five minutes, and more on a machine that does other things meanwhile. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { type AnyJson, start } from '../testing/spawn.js';

const stack = useTestStack();

test('the better version is promoted, and rolled back by hand', { timeout: 900_000 }, async () => {
  const file = join(stack.folder, 'report.json');
  const { code, stderr } = await start(['demo', '--json', file], { DATABASE_URL: stack.databaseUrl }).ended;
  expect(code, stderr).toBe(0);
  const { seconds, equal, runs, rollout, rollback, ratios } = JSON.parse(await readFile(file, 'utf8')) as AnyJson;
  console.log(`demo: ${rollout.outcome}, after ${rollout.evaluations} evaluations; ${seconds} s in all; ratios ${JSON.stringify(ratios)}`);
  const [written, better] = runs.map(({ version }: { version: string }) => version);
  expect({ equal, rollout, rollback }).toMatchObject({
    equal: true,
    rollout: { state: 'promoted', outcome: expect.stringMatching(/^cost is lower by/), shadow: { different: 0 } },
    rollback: { from: better, to: written, held: true },
  });
});
