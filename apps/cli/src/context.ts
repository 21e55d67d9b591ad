import type { AutoFlowClient, IngestClient } from '@autoflow/client';
import type { Command } from 'commander';
import { CliError } from './errors.js';
import type { Published } from './local/published.js';
import { createOutput, type Output } from './output.js';
import type { Project } from './project/read-config.js';

/** What every command gets. */
export interface Context {
  readonly out: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Name of the local stack. */
  readonly stack: string;
  /** Of the `autoflow.config.ts` that was named, or that is nearest; undefined when there is none. */
  project(): Promise<Project | undefined>;
  /** Rejects when neither `--api`, the project, nor a running local stack says where the API is. */
  client(): Promise<AutoFlowClient>;
  /** Where records are sent: `--ingest`, else AUTOFLOW_INGEST, else that of the running local stack; rejects when none says it. */
  ingest(): Promise<Address>;
  /** Speaks to it. */
  ingestClient(): Promise<IngestClient>;
}

export interface Address {
  readonly url: string;
  readonly token?: string;
}

interface GlobalOptions {
  readonly api?: string;
  readonly ingest?: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly stack: string;
  readonly config?: string;
}

export function addGlobalOptions(program: Command): Command {
  return program
    .option('--api <url>', 'address of the admin API (default: AUTOFLOW_API, that of autoflow.config.ts, or of the running local stack)')
    .option(
      '--ingest <url>',
      'address of ingest, for records (default: AUTOFLOW_INGEST, that of autoflow.config.ts, or of the running local stack)',
    )
    .option('--token <token>', 'bearer token (default: AUTOFLOW_TOKEN, or the admin token of the local stack)')
    .option('--json', 'answer JSON, and nothing else, on stdout')
    .option('--quiet', 'say nothing that was not asked for')
    .option('--stack <name>', 'name of the local stack', 'local')
    .option('--config <file>', 'settings of the project (default: the nearest autoflow.config.ts, in this folder or above)');
}

type Handler<Options> = (context: Context, options: Options, ...args: string[]) => Promise<void> | void;

/** Adapts a handler to commander, which gives the arguments, the options and the command. */
export function withContext<Options = Record<string, never>>(handler: Handler<Options>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    await handler(
      contextOf(command.optsWithGlobals<GlobalOptions>()),
      command.opts<object>() as Options,
      ...(given.slice(0, -2) as string[]),
    );
  };
}

/** The one place where the command reads the environment. */
export function contextOf(options: GlobalOptions, env: NodeJS.ProcessEnv = process.env): Context {
  const { json = false, quiet = false, stack } = options;
  let read: Promise<Project | undefined> | undefined;
  const project = () => (read ??= projectOf(options.config));
  return {
    out: createOutput({ json, quiet }),
    env,
    stack,
    project,
    client: () => clientOf(options, env, project),
    ingest: () => ingestOf(options, env, project),
    async ingestClient() {
      const { createIngestClient } = await import('@autoflow/client');
      return createIngestClient(await ingestOf(options, env, project));
    },
  };
}

async function projectOf(named: string | undefined): Promise<Project | undefined> {
  const { findConfig } = await import('./project/find-config.js');
  const file = findConfig(named);
  return file === undefined ? undefined : (await import('./project/read-config.js')).readConfig(file);
}

/** The local stack is looked for only when something is not said; its admin token goes to its own API only. */
async function clientOf(options: GlobalOptions, env: NodeJS.ProcessEnv, project: Context['project']): Promise<AutoFlowClient> {
  const givenUrl = options.api ?? env['AUTOFLOW_API'] ?? (await project())?.api;
  const givenToken = options.token ?? env['AUTOFLOW_TOKEN'];
  const local = givenUrl !== undefined && givenToken !== undefined ? undefined : await publishedBy(options.stack, env);
  const url = givenUrl ?? local?.api;
  if (url === undefined)
    throw new CliError('API_UNREACHABLE', 'No local stack is running, and no API is named. Start one (autoflow up), or give --api.', 3);
  const token = givenToken ?? (local?.api === url ? local.token : undefined);
  const { createClient } = await import('@autoflow/client');
  return createClient({ url, ...(token !== undefined && { token }) });
}

/** As for the API: the local stack's token goes to its own ingest only. */
async function ingestOf(options: GlobalOptions, env: NodeJS.ProcessEnv, project: Context['project']): Promise<Address> {
  const givenUrl = options.ingest ?? env['AUTOFLOW_INGEST'] ?? (await project())?.ingest;
  const givenToken = options.token ?? env['AUTOFLOW_TOKEN'];
  const local = givenUrl !== undefined && givenToken !== undefined ? undefined : await publishedBy(options.stack, env);
  const url = givenUrl ?? local?.ingest;
  if (url === undefined)
    throw new CliError(
      'API_UNREACHABLE',
      'No local stack with ingest is running, and none is named. Start one (autoflow up), or give --ingest.',
      3,
    );
  const token = givenToken ?? (local?.ingest === url ? local.token : undefined);
  return { url, ...(token !== undefined && { token }) };
}

async function publishedBy(
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<(Published & { readonly token: string | undefined }) | undefined> {
  const { readPublished, readToken } = await import('./local/published.js');
  const published = readPublished(stack, env);
  return published && { ...published, token: readToken(published.tokenFile) };
}
