import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onPath, run } from './commands.mjs';
import { cache } from './folders.mjs';
import { exclusively } from './lock.mjs';
import { say, step } from './progress.mjs';

/** The newest 1.x that `go install` takes: later tags have a `replace` directive (infra/local-stack names the same). */
const VERSION = 'v1.5.1';
const folder = join(cache, `temporal-${VERSION}`);
export const binary = join(folder, 'temporal');

/** A Temporal server that runs already, a `temporal` command on PATH, a download, or a build from source, in this order. */
export const temporal = {
  done: () => isConfigured() || onPath('temporal') !== undefined || existsSync(binary),
  run: () =>
    exclusively(`temporal-${VERSION}`, async () => {
      if (existsSync(binary)) return;
      const why = [];
      for (const provide of [download, build]) {
        const failure = await provide().then(
          () => undefined,
          (error) => error.message,
        );
        if (failure === undefined) return;
        why.push(failure);
      }
      say(`no Temporal server could be had, so nothing that needs one will run:\n${why.join('\n')}`);
    }),
};

/** The same question that the Temporal SDK asks for its own development server. */
async function download() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const query = new URLSearchParams({ arch, platform, format: 'tar.gz' });
  const answer = await fetch(`https://temporal.download/cli/${VERSION}?${query}`, { signal: AbortSignal.timeout(4000) }).catch(
    () => undefined,
  );
  if (!answer?.ok) throw new Error(`- temporal.download ${answer ? `answers ${answer.status}` : 'cannot be reached'}`);
  const { archiveUrl, fileToExtract } = await answer.json();
  await step('downloading the Temporal server', () =>
    intoPlace(async (scratch) => {
      const archive = await fetch(archiveUrl, { signal: AbortSignal.timeout(300_000) });
      if (!archive.ok) throw new Error(`- ${archiveUrl} answers ${archive.status}`);
      await writeFile(join(scratch, 'archive.tar.gz'), Buffer.from(await archive.arrayBuffer()));
      await run('tar', ['-xzf', 'archive.tar.gz', fileToExtract], { cwd: scratch });
      return join(scratch, fileToExtract);
    }),
  );
}

async function build() {
  const go = onPath('go');
  if (go === undefined)
    throw new Error(
      '- Go is not on PATH: install Go 1.25 or newer, or the Temporal CLI (https://docs.temporal.io/cli#install), or set TEMPORAL_ADDRESS',
    );
  await step('building the Temporal server with Go (once for this user; about 3 minutes)', () =>
    intoPlace(async (scratch) => {
      await run(go, ['install', `github.com/temporalio/cli/cmd/temporal@${VERSION}`], { cwd: scratch, env: { GOBIN: scratch } });
      return join(scratch, 'temporal');
    }),
  );
}

/** The binary appears complete or not at all. */
async function intoPlace(provide) {
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const file = await provide(scratch);
    chmodSync(file, 0o755);
    mkdirSync(folder, { recursive: true });
    renameSync(file, binary);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Only whether there is one; the local stack reads it properly. */
function isConfigured() {
  if (process.env.TEMPORAL_ADDRESS) return true;
  const file = process.env.TEMPORAL_CONFIG_FILE ?? join(configFolder(), 'temporalio', 'temporal.toml');
  return existsSync(file) && /^\s*address\s*=/m.test(readFileSync(file, 'utf8'));
}

function configFolder() {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
  if (process.platform === 'win32') return process.env.APPDATA ?? homedir();
  return process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config');
}
