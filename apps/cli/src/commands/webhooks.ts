import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';

interface CreateOptions {
  readonly type?: string[];
  readonly pipeline?: string[];
  readonly reason?: string;
}

export function registerWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('URLs that events are sent to');

  webhooks
    .command('list')
    .description('with how they fare')
    .action(
      withContext(async ({ out, client }) => {
        const { items } = await (await client()).webhooks.list();
        const rows = items.map(({ id, url, types, pipelines, delivered, ...webhook }) => [
          id,
          url,
          types?.join(',') ?? 'all',
          pipelines?.join(',') ?? 'all',
          delivered,
          stateOf(webhook),
        ]);
        out.answer(items, () => table(['WEBHOOK', 'URL', 'TYPES', 'PIPELINES', 'DELIVERED', 'STATE'], rows, 'No webhooks.'));
      }),
    );

  webhooks
    .command('create <url>')
    .description('send events to it from now on; prints the secret that signs them, this once')
    .option('--type <type...>', 'only these, such as stable.set or dead-letters.added')
    .option('--pipeline <name...>', 'only those of these pipelines')
    .option('--reason <text>', 'for the audit log')
    .action(
      withContext<CreateOptions>(async ({ out, client }, { type: types, pipeline: pipelines, reason }, url = '') => {
        const wanted = { url, ...(types && { types }), ...(pipelines && { pipelines }), ...(reason !== undefined && { reason }) };
        const webhook = await (await client()).webhooks.create(wanted);
        out.answer(webhook, () => `webhook ${webhook.id}\nsecret  ${webhook.secret}\nThe secret is not shown again.`);
      }),
    );

  webhooks
    .command('remove <id>')
    .description('send nothing more')
    .option('--reason <text>', 'for the audit log')
    .action(
      withContext<{ reason?: string }>(async ({ out, client }, { reason }, id = '') => {
        const removed = await (await client()).webhooks.remove(id, reason);
        out.answer(removed, () => `webhook ${id} is removed`);
      }),
    );
}

function stateOf({
  disabledAt,
  attempts,
  lastError,
  nextAt,
}: {
  disabledAt?: string;
  attempts: number;
  lastError?: string;
  nextAt: string;
}) {
  if (disabledAt !== undefined) return `given up at ${when(disabledAt)}: ${lastError ?? ''}`;
  return attempts === 0 ? 'ok' : `failed ${attempts} times (${lastError ?? ''}); tried again at ${when(nextAt)}`;
}
