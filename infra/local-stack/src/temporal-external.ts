import { Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf, StackError } from './errors.js';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';

export interface ExternalTemporal {
  readonly connection: ConnectionOptions & { readonly address: string };
  readonly namespace: string;
}

const KEYWORD = 2;
const ALREADY_EXISTS = 6;
const DAY_IN_SECONDS = 86_400;

/** The server that TEMPORAL_ADDRESS or a temporal.toml names, with its TLS settings and API key; undefined when none does. */
export function configuredTemporal(env: NodeJS.ProcessEnv): ExternalTemporal | undefined {
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: definedOnly(env) });
  const { address } = connectionOptions;
  return address ? { connection: { ...(connectionOptions as ConnectionOptions), address }, namespace: namespace ?? 'default' } : undefined;
}

/** Makes sure that the server answers, and has the namespaces and search attributes that executions need. */
export async function prepareExternal({ connection: options, namespace }: ExternalTemporal, namespaces: readonly string[]): Promise<void> {
  const connection = await connect(options);
  try {
    for (const name of namespaces) await ensureNamespace(connection, name);
    for (const name of [namespace, ...namespaces]) await ensureSearchAttributes(connection, name);
  } finally {
    await connection.close();
  }
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

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const retention = { seconds: DAY_IN_SECONDS as unknown as Long };
  await connection.workflowService
    .registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention })
    .catch((error: { code?: number }) => {
      if (error.code !== ALREADY_EXISTS) throw error;
    });
}

async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace);
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

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
