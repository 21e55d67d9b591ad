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
const HOST = 'temporal.download';
const NO_GO = '- Go is not on PATH';

/** A `temporal` command: on PATH, in the cache, downloaded, or built from source, in this order. */
export const ownTemporal = {
  done: () => onPath('temporal') !== undefined || existsSync(binary),
  /** Fails at once, before anything that takes long, when there is no way to have one. */
  async check() {
    if (onPath('go') !== undefined) return;
    await archive().catch((error) => {
      throw new Error(missing([error.message, NO_GO]));
    });
  },
  run: () =>
    exclusively(`temporal-${VERSION}`, async () => {
      if (existsSync(binary)) return;
      const why = [];
      for (const provide of [download, build]) {
        const failure = await provide().then(
          () => undefined,
          (error) => error.message,
        );
        if (failure === undefined) return say(`the Temporal command is ${binary}`);
        why.push(failure);
      }
      throw new Error(missing(why));
    }),
};

/** For everything but the tests, a server that the user has named will do as well. */
export const temporal = { ...ownTemporal, done: () => isConfigured() || ownTemporal.done() };

function missing(why) {
  return [
    'no Temporal server could be had, and nothing runs without one:',
    ...why,
    'Do one of these and start again:',
    '  1. Install the Temporal CLI (https://docs.temporal.io/cli#install) so that `temporal` is on PATH.',
    '  2. Install Go 1.25 or newer: the server is then built into the cache folder.',
    '  3. Set TEMPORAL_ADDRESS (or write a temporal.toml) to use a server that runs already; `npm test` needs one of its own.',
  ].join('\n');
}

/**
 * The version is pinned, and what comes must say that it is that one. Its hash is not: the service answers with an address per platform and no
 * checksum, and one kept here could only have been taken from the same download. So it is trusted as far as TLS to Temporal's own host is;
 * who wants more installs the CLI by other means, or Go, which checks what it builds against its checksum database.
 */
async function download() {
  const { archiveUrl, fileToExtract } = await archive();
  await step('downloading the Temporal server', () =>
    intoPlace(async (scratch) => {
      const answer = await fetch(archiveUrl, { signal: AbortSignal.timeout(300_000) });
      if (!answer.ok) throw new Error(`- ${archiveUrl} answers ${answer.status}`);
      await writeFile(join(scratch, 'archive.tar.gz'), Buffer.from(await answer.arrayBuffer()));
      await run('tar', ['-xzf', 'archive.tar.gz', fileToExtract], { cwd: scratch });
      const file = join(scratch, fileToExtract);
      chmodSync(file, 0o755);
      const said = (await run(file, ['--version'])).trim();
      if (!said.includes(VERSION.slice(1))) throw new Error(`- ${archiveUrl} holds another version than ${VERSION}: ${said}`);
      return file;
    }),
  );
}

/** Where it can be downloaded: the same question that the Temporal SDK asks for its own development server. */
async function archive() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const query = new URLSearchParams({ arch, platform, format: 'tar.gz' });
  const answer = await fetch(`https://${HOST}/cli/${VERSION}?${query}`, { signal: AbortSignal.timeout(4000) }).catch(() => undefined);
  if (!answer?.ok) throw new Error(`- ${HOST} ${answer ? `answers ${answer.status}` : 'cannot be reached'}`);
  return await answer.json();
}

async function build() {
  const go = onPath('go');
  if (go === undefined) throw new Error(NO_GO);
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
