import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * Runs a command and resolves to its output; rejects with the end of that output when it fails or takes longer than
 * `timeoutMs`. Its whole process group ends with it.
 */
export function run(command, args, { cwd, env = {}, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    let output = '';
    let late = false;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    const timer = timeoutMs && setTimeout(() => ((late = true), endGroup(child)), timeoutMs);
    const failed = (why) => reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ${why}\n${excerpt(output)}`.trim()));
    child.once('error', (error) => failed(error.message));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      if (code === 0) resolve(output);
      else failed(late ? `took longer than ${timeoutMs / 1000} s` : `ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** npm and the node-gyp inside it, as the npm that started us or else the one on PATH. */
export function npm(args, options) {
  const cli = npmCli();
  return cli ? run(process.execPath, [cli, ...args], options) : run('npm', args, options);
}

export function nodeGyp() {
  const cli = npmCli();
  const own = cli && join(dirname(dirname(cli)), 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (own && existsSync(own)) return [process.execPath, own];
  const found = onPath('node-gyp');
  return found ? [found] : undefined;
}

export function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

const running = new Set();

/** A command has a process group of its own, so Ctrl-C must be passed on. */
export function endAllOnSignal() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => {
      for (const child of running) endGroup(child);
      process.exit(code);
    });
  }
}

function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function npmCli() {
  const started = process.env.npm_execpath;
  if (started?.endsWith('npm-cli.js')) return started;
  const found = onPath('npm');
  const real = found && realpathSync(found);
  return real?.endsWith('npm-cli.js') ? real : undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Some programs say what is wrong first, others last. */
function excerpt(output) {
  const lines = output.trim().split('\n');
  return (lines.length <= 120 ? lines : [...lines.slice(0, 40), '…', ...lines.slice(-80)]).join('\n');
}
