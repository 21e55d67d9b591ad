import type { AutoFlowClient } from '@autoflow/client';
import { deployedText } from '../commands/deploy.js';
import type { Context } from '../context.js';
import { failureOf, usage } from '../errors.js';
import { deployModule } from '../modules/deploy.js';
import { locateModules, type LocatedModule } from '../modules/locate.js';
import { watchModule } from '../modules/watch.js';
import { aborted, interruption } from './interruption.js';
import { readPublished } from './published.js';
import { startRunningStack, type RunningStack } from './running-stack.js';

/**
 * Deploys the project's modules now and at every save, to the local stack: the one that runs, else one that ends with this command. What
 * cannot be deployed is said, and the release before stays.
 */
export async function dev(context: Context): Promise<void> {
  const { out, env, stack: name, project } = context;
  if ((await project()) === undefined) throw usage('There is no autoflow.config.ts here or above. autoflow init makes a project.');
  const modules = locateModules(undefined, 'pipeline', await project());
  const asked = interruption('The start', out.note);
  const own =
    readPublished(name, env) === undefined
      ? await startRunningStack({ mode: 'persistent', name, env, modules: [], log: out.note, signal: asked })
      : undefined;
  const watchers: { close(): Promise<void> }[] = [];
  try {
    const { api, ingest } = readPublished(name, env)!;
    out.line({ event: 'up', api, ingest }, () => `api ${api} · ingest ${ingest} · Ctrl-C ends it`);
    const client = await localClient(context, own);
    for (const module of modules)
      watchers.push(
        await watchModule(
          module.file,
          oneAtATime(() => redeploy(module, client, context)),
        ),
      );
    const error = await Promise.race([aborted(asked), ...(own ? [own.lost] : [])]);
    if (error) throw error;
  } finally {
    for (const watcher of watchers) await watcher.close();
    await own?.stop();
  }
}

/** Also where the project names another API: what is saved must not go live there. */
async function localClient({ stack, env }: Context, own: RunningStack | undefined): Promise<AutoFlowClient> {
  if (own !== undefined) return own.client;
  const { createClient } = await import('@autoflow/client');
  const { readToken } = await import('./published.js');
  const { api, tokenFile } = readPublished(stack, env)!;
  const token = readToken(tokenFile);
  return createClient({ url: api, ...(token !== undefined && { token }) });
}

async function redeploy({ name, file }: LocatedModule, client: AutoFlowClient, { out }: Context): Promise<void> {
  try {
    const deployed = await deployModule(client, file, { reason: 'deployed by autoflow dev' });
    out.line({ event: 'deployed', module: name, ...deployed }, deployedText);
  } catch (error) {
    const { code, lines } = failureOf(error);
    out.line({ event: 'failed', module: name, code, detail: lines.join('\n') }, () => `${name}: ${code}\n${lines.join('\n')}`);
  }
}

/** Asked for while it works, it works once more afterwards. */
function oneAtATime(work: () => Promise<void>): () => void {
  let state: 'idle' | 'working' | 'asked' = 'idle';
  const run = async (): Promise<void> => {
    do {
      state = 'working';
      await work();
    } while ((state as string) === 'asked');
    state = 'idle';
  };
  return () => void (state === 'idle' ? run() : (state = 'asked'));
}
