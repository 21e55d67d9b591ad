import type { Command } from 'commander';
import { type Context, withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';

export function registerStatus(program: Command): void {
  program.command('status').description('what runs, where, and which version each pipeline is on').action(withContext(status));
}

async function status({ out, env, stack, client }: Context): Promise<void> {
  const api = await client();
  const [health, items] = [await api.health.ready(), await everyPage(api.pipelines.list)];
  const { runningStack } = await import('@autoflow/local-stack');
  const temporal = runningStack({ name: stack, env })?.temporal;
  const answer = {
    api: api.url,
    status: health.status,
    ...(temporal && { temporal: temporal.address, ui: temporal.uiUrl }),
    pipelines: items,
  };
  out.answer(answer, () => {
    const where = [
      ...(temporal ? [`temporal ${temporal.address}`, ...(temporal.uiUrl ? [`ui ${temporal.uiUrl}`] : [])] : []),
      `api ${api.url}`,
      `docs ${api.url}/v1/docs`,
    ];
    const rows = items.map(({ name, stable, createdAt }) => [name, stable.version, stable.release.slice(0, 7), when(createdAt)]);
    return `${health.status} · ${where.join(' · ')}\n\n${table(['PIPELINE', 'STABLE', 'RELEASE', 'SINCE'], rows)}`;
  });
}
