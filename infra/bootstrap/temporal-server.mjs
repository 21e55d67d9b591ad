import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, run } from './commands.mjs';
import { cache } from './folders.mjs';
import { exclusively } from './lock.mjs';
import { step } from './progress.mjs';

const VERSION = 'v1.29.1';
const MODULE = 'go.temporal.io/server';
const folder = join(cache, `temporal-server-${VERSION}`);

/**
 * The Temporal server as it runs in production, its schema tool and its schema files, built once per user; undefined without Go. What Go
 * downloads is checked against the checksum database and the module's go.sum by Go itself.
 */
export async function temporalServer() {
  const go = onPath('go');
  if (!existsSync(folder) && go === undefined) return undefined;
  await exclusively(`temporal-server-${VERSION}`, () => (existsSync(folder) ? undefined : build(go)));
  return { server: join(folder, 'server'), sqlTool: join(folder, 'sql'), schema: join(folder, 'schema') };
}

async function build(go) {
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    await step(`building the Temporal server ${VERSION} with Go (once for this user; some minutes)`, async () => {
      const packages = ['server', 'tools/sql'].map((command) => `${MODULE}/cmd/${command}@${VERSION}`);
      await run(go, ['install', ...packages], { cwd: scratch, env: { GOBIN: scratch } });
      const answer = await run(go, ['mod', 'download', '-json', `${MODULE}@${VERSION}`], { cwd: scratch });
      cpSync(join(JSON.parse(answer).Dir, 'schema', 'postgresql', 'v12'), join(scratch, 'schema'), { recursive: true });
    });
    // Complete or not at all.
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
