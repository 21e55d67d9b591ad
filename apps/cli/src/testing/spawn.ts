import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/autoflow.mjs', import.meta.url));

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into it, and fail where it is not what they expect
export type AnyJson = any;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout, which must then be one JSON document. */
  readonly json: AnyJson;
}
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first JSON document of stdout, for a command that goes on. */
  readonly answered: Promise<AnyJson>;
}

/** The built command, as a user would run it, with nothing of this environment that could name an API. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Started {
  const { AUTOFLOW_API: _api, AUTOFLOW_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...inherited, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const answered = new Promise<AnyJson>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.endsWith('}\n') || stdout.endsWith(']\n')) resolve(parsed(stdout));
    });
  });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr, json: parsed(stdout) })));
  return { child, ended, answered };
}

export function autoflow(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
