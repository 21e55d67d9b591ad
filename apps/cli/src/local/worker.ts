import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runningStack, stackFolder } from '@autoflow/local-stack';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import type { Project } from '../project/read-config.js';
import { aborted, interruption } from './interruption.js';
import { SUPERVISED, WORKER } from './programs.js';

export interface WorkerChoice {
  readonly role?: string;
  readonly pipelines?: string;
}

const ALL = 'workflows,control,functions,feeder,learner';
/** Learners cost cores that others may want: who trains is asked to. */
const USUAL = 'workflows,control,functions,feeder';

/** A worker process of this machine, its log on stderr. It drains when it is told to stop. */
export async function worker({ out, env, stack, project }: Context, choice: WorkerChoice): Promise<void> {
  const settings = { ...localStack(stack, env), ...configured((await project())?.worker), ...env, ...chosen(choice) };
  const child = spawn(process.execPath, ['--import', pathToFileURL(SUPERVISED()).href, WORKER()], {
    env: settings,
    // A group of its own: Ctrl-C reaches it by us, once.
    detached: true,
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  const gone = once(child, 'exit');
  child.once('message', () => {
    const { AUTOFLOW_ROLES: roles = USUAL, AUTOFLOW_PIPELINES: pipelines } = settings;
    out.answer(
      { pid: child.pid, roles: roles.split(','), pipelines: pipelines?.split(',') },
      () => `worker ${child.pid} · ${roles} · Ctrl-C stops it`,
    );
  });
  const asked = interruption('The worker', out.note);
  void aborted(asked).then(() => child.kill('SIGTERM'));
  const [code, signal] = (await gone) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new CliError('WORKER_ENDED', `the worker ended by ${signal ?? `exit code ${code}`}; its log says why`);
}

/** Of a stack that runs on this machine: where everything is. */
function localStack(name: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const running = runningStack({ name, env });
  if (running?.databaseUrl === undefined) return {};
  const folder = stackFolder({ name, env });
  return {
    DATABASE_URL: running.databaseUrl,
    ...(running.temporal?.external === false && {
      TEMPORAL_ADDRESS: running.temporal.address,
      TEMPORAL_NAMESPACE: running.temporal.namespace,
    }),
    AUTOFLOW_BATCHES: `file:${join(folder, 'batches')}`,
    AUTOFLOW_RELEASES: join(folder, 'releases'),
  };
}

function configured(worker: Project['worker'] = {}): NodeJS.ProcessEnv {
  const { roles, pipelines, host, releases, sources, logLevel } = worker;
  return {
    ...(roles && { AUTOFLOW_ROLES: roles.join(',') }),
    ...(pipelines && { AUTOFLOW_PIPELINES: pipelines.join(',') }),
    ...(host !== undefined && { AUTOFLOW_HOST: host }),
    ...(releases !== undefined && { AUTOFLOW_RELEASES: releases }),
    ...(sources && { AUTOFLOW_SOURCES: sources.join(delimiter) }),
    ...(logLevel && { AUTOFLOW_LOG_LEVEL: logLevel }),
  };
}

function chosen({ role, pipelines }: WorkerChoice): NodeJS.ProcessEnv {
  return {
    ...(role !== undefined && { AUTOFLOW_ROLES: role === 'all' ? ALL : role }),
    ...(pipelines !== undefined && { AUTOFLOW_PIPELINES: pipelines }),
  };
}
