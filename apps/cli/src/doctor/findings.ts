import { configuredTemporal, runningStack, SEARCH_ATTRIBUTES, type StackState, stackFolder } from '@autoflow/local-stack';
import { openStore } from '@autoflow/store';
import { Connection } from '@temporalio/client';
import { loadBackend } from '@autoflow/learning';
import type { Context } from '../context.js';
import { lastLogged } from './log-line.js';

/** `note`: works, but not as well as it could. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'note' | 'broken';
  readonly found: string;
  readonly remedy?: string;
}

/** Looks at everything, in the order in which one thing needs the other; changes nothing. */
export async function findings({ env, stack: name, client }: Context): Promise<Finding[]> {
  const stack = runningStack({ name, env });
  return [
    nodeVersion(process.versions.node),
    stack === undefined
      ? { what: 'local stack', state: 'note', found: `${name} is not running`, remedy: 'autoflow up' }
      : { what: 'local stack', state: 'ok', found: `${name} at ${stackFolder({ name, env })}` },
    await attempt('admin API', 'see logs/control-plane.log in the stack’s folder, or give --api', async () => {
      const api = await client();
      const { status } = await api.health.ready();
      return `${api.url}: ${status}`;
    }),
    ...(stack === undefined ? [] : await ofStack(stack, stackFolder({ name, env }), env)),
    await tensors(),
  ];
}

async function ofStack({ databaseUrl, temporal }: StackState, folder: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const found: Finding[] = [];
  if (databaseUrl !== undefined)
    found.push(
      await attempt('Postgres and its schema', 'restart the stack: autoflow down, autoflow up', () => schema(databaseUrl)),
      await attempt('records by COPY', 'deploy the pipeline, or delete its rows from autoflow.landing', () => noneStranded(databaseUrl)),
    );
  if (temporal !== undefined)
    found.push(
      await attempt('Temporal’s search attributes', 'temporal operator search-attribute create --type Keyword --name NAME', () =>
        searchAttributes(temporal, env),
      ),
    );
  return [...found, enforcement(folder)];
}

function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  return { what: 'Node', state: isEnough ? 'ok' : 'broken', found: version, ...(!isEnough && { remedy: 'install Node 20.19 or newer' }) };
}

async function schema(connectionString: string): Promise<string> {
  const store = await openStore({ connectionString, maxConnections: 1 });
  try {
    const pipelines = await store.definitions.pipelines();
    return `answers; pipelines: ${pipelines.map(({ name }) => name).join(', ') || 'none yet'}`;
  } finally {
    await store.close();
  }
}

async function noneStranded(connectionString: string): Promise<string> {
  const store = await openStore({ connectionString, maxConnections: 1 });
  try {
    const stranded = await store.feeder.stranded();
    if (stranded.length > 0)
      throw new Error(stranded.map(({ pipeline, records }) => `${records} wait for ${pipeline}, which is not there`).join('; '));
    return 'none waits for a pipeline that is not there';
  } finally {
    await store.close();
  }
}

/** TLS and API key of a server that the user named are not in the stack's file: they come from where the stack had them. */
async function searchAttributes({ address, namespace, external }: NonNullable<StackState['temporal']>, env: NodeJS.ProcessEnv) {
  const configured = external ? configuredTemporal(env)?.connection : undefined;
  const connection = await Connection.connect({ ...(configured?.address === address ? configured : { address }), connectTimeout: '5s' });
  try {
    const { customAttributes = {} } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = SEARCH_ATTRIBUTES.filter((attribute) => !(attribute in customAttributes));
    if (missing.length > 0) throw new Error(`${missing.join(', ')} are missing in namespace ${namespace}`);
    return SEARCH_ATTRIBUTES.join(', ');
  } finally {
    await connection.close();
  }
}

/** The worker tells at its start how it can limit memory here. */
function enforcement(folder: string): Finding {
  const what = 'memory limits';
  const line = lastLogged(`${folder}/logs/worker.log`, 'function host started') as
    { kind?: string; cpuFollowsMemory?: boolean; why?: string } | undefined;
  if (line?.kind === undefined) return { what, state: 'note', found: 'the worker has not said yet' };
  const cpu = line.cpuFollowsMemory ? 'CPU follows memory' : 'CPU does not follow memory';
  if (line.kind !== 'soft') return { what, state: 'ok', found: `${line.kind}; ${cpu}` };
  return {
    what,
    state: 'note',
    found: `soft: instances are watched, not confined; ${cpu} (${line.why ?? 'no reason given'})`,
    remedy: 'delegate a cgroup v2 subtree to this user',
  };
}

async function tensors(): Promise<Finding> {
  let why = '';
  return attempt('tensor backend', 'npm run setup', async () => {
    await loadBackend('native', (line) => (why = line));
    return why;
  });
}

async function attempt(what: string, remedy: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, state: 'ok', found: await look() };
  } catch (error) {
    return { what, state: 'broken', found: (error as Error).message, remedy };
  }
}
