import { Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf, StackError } from './errors.js';
import { EXECUTION_QUEUE, liveWorker } from './live-worker.js';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';

export interface ExternalTemporal {
  readonly connection: ConnectionOptions & { readonly address: string };
  readonly namespace: string;
}

const KEYWORD = 2;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const DAY_IN_SECONDS = 86_400;

/** The server that TEMPORAL_ADDRESS or a temporal.toml names, with its TLS settings and API key; undefined when none does. */
export function configuredTemporal(env: NodeJS.ProcessEnv): ExternalTemporal | undefined {
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: definedOnly(env) });
  const { address } = connectionOptions;
  return address ? { connection: { ...(connectionOptions as ConnectionOptions), address }, namespace: namespace ?? 'default' } : undefined;
}

/**
 * Makes sure that the server answers, has the namespaces and search attributes that executions need, and that no other
 * worker serves the executions of its namespace. What the server does not let this user look at is noted in `log`.
 */
export async function prepareExternal(
  { connection: options, namespace }: ExternalTemporal,
  namespaces: readonly string[],
  log: (line: string) => void,
): Promise<void> {
  const connection = await connect(options);
  const target = { connection, address: options.address, log };
  try {
    await checkNamespace(target, namespace);
    await refuseShared(target, namespace);
    for (const name of namespaces) await ensureNamespace(target, name);
    for (const name of [namespace, ...namespaces]) await ensureSearchAttributes(target, name);
  } finally {
    await connection.close();
  }
}

interface Target {
  readonly connection: Connection;
  readonly address: string;
  readonly log: (line: string) => void;
}

async function connect(options: ConnectionOptions & { readonly address: string }): Promise<Connection> {
  try {
    return await Connection.connect({ ...options, connectTimeout: '5s' });
  } catch (error) {
    throw new StackError(
      'TEMPORAL_UNREACHABLE',
      `The Temporal server at ${options.address} does not answer (${messageOf(error)}). ` +
        `Start it, correct TEMPORAL_ADDRESS or temporal.toml, or unset it to use a server of AutoFlow's own.`,
      { cause: error },
    );
  }
}

async function checkNamespace({ connection, address, log }: Target, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (codeOf(error) !== NOT_FOUND)
      return log(`Temporal at ${address} does not describe namespace ${namespace} (${messageOf(error)}): going on without`);
    throw new StackError(
      'TEMPORAL_NAMESPACE',
      `The Temporal server at ${address} has no namespace ${namespace}. Correct TEMPORAL_NAMESPACE or temporal.toml, or create it, for example:\n  ` +
        `temporal operator namespace create --namespace ${namespace}`,
      { cause: error },
    );
  }
}

/** Queue names are the same in every stack: two stacks in one namespace would take each other's work. */
async function refuseShared({ connection, address, log }: Target, namespace: string): Promise<void> {
  const worker = await liveWorker(connection, namespace).catch((error: unknown) => {
    log(`Temporal at ${address} does not tell who serves task queue ${EXECUTION_QUEUE} (${messageOf(error)}): going on without`);
    return undefined;
  });
  if (!worker) return;
  throw new StackError(
    'STACK_SHARED',
    `Worker ${worker} serves task queue ${EXECUTION_QUEUE} in namespace ${namespace} at ${address} already, and the two would take each other's work. Do one of these:\n` +
      `  1. Set TEMPORAL_NAMESPACE to a namespace of this stack's own (\`temporal operator namespace create --namespace <name>\`).\n` +
      `  2. Stop that worker: Ctrl-C where it runs, or \`autoflow down\`.\n` +
      `  3. Unset TEMPORAL_ADDRESS (and temporal.toml) to use a server of AutoFlow's own.`,
  );
}

async function ensureNamespace({ connection, address }: Target, namespace: string): Promise<void> {
  const retention = { seconds: DAY_IN_SECONDS as unknown as Long };
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
  } catch (error) {
    if (codeOf(error) === ALREADY_EXISTS) return;
    throw new StackError(
      'TEMPORAL_NAMESPACE',
      `Namespace ${namespace} cannot be created on the Temporal server at ${address} (${messageOf(error)}). Have it created, for example:\n  ` +
        `temporal operator namespace create --namespace ${namespace}`,
      { cause: error },
    );
  }
}

async function ensureSearchAttributes({ connection, address, log }: Target, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace).catch((error: unknown) => {
    log(
      `Temporal at ${address} does not list the search attributes of namespace ${namespace} (${messageOf(error)}): ` +
        `going on as if it had ${SEARCH_ATTRIBUTES.join(', ')}, all of type Keyword`,
    );
    return [];
  });
  if (missing.length === 0) return;
  try {
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    throw new StackError(
      'TEMPORAL_SEARCH_ATTRIBUTES',
      `Namespace ${namespace} lacks the search attributes ${missing.join(', ')}, and adding them failed (${messageOf(error)}). Have them added, for example:\n  ` +
        `temporal operator search-attribute create --namespace ${namespace} ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`,
      { cause: error },
    );
  }
}

async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return SEARCH_ATTRIBUTES.filter((name) => customAttributes?.[name] === undefined);
}

function codeOf(error: unknown): number | undefined {
  return (error as { code?: number }).code;
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
