import type { Event } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { interruption } from '../local/interruption.js';
import { positive } from './backfill.js';

interface Options {
  readonly pipeline?: string;
  readonly type?: readonly string[];
  readonly follow?: boolean;
  readonly after?: string;
  readonly limit: number;
}

export function registerEvents(program: Command): void {
  program
    .command('events')
    .description('what happened: deployments, rollbacks, allocations, backfills, dead letters, hosts')
    .option('--pipeline <name>', 'of this one only')
    .option('--type <type...>', 'such as stable.set or dead-letters.added')
    .option('--follow', 'go on with what happens, until interrupted; with --json one object per line')
    .option('--after <id>', 'with --follow: from behind this event')
    .option('--limit <n>', 'the newest so many', positive, 20)
    .action(
      withContext<Options>(async ({ out, client }, { pipeline, type: types, follow, after, limit }) => {
        const api = await client();
        const filter = { ...(pipeline !== undefined && { pipeline }), ...(types !== undefined && { types }) };
        if (follow !== true) {
          const { items } = await api.events.list({ ...filter, limit });
          return out.answer(items, () => items.toReversed().map(line).join('\n') || 'Nothing has happened yet.');
        }
        const signal = interruption('following events', () => undefined);
        for await (const event of api.events.follow({ ...filter, ...(after !== undefined && { after }), signal })) out.line(event, line);
      }),
    );
}

/** The parts of the data that are short, in one line. */
function line({ at, type, pipeline, data }: Event): string {
  return [when(at), type, ...(pipeline === undefined ? [] : [pipeline]), ...Object.entries(data).flatMap(word)].join('  ');
}

function word([name, value]: [string, unknown]): string[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === undefined) return [];
  return [`${name}=${text.length > 120 ? `${text.slice(0, 119)}…` : text}`];
}
