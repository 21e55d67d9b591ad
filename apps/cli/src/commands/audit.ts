import type { Command } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface AuditOptions {
  readonly action?: string;
  readonly actor?: string;
  readonly since?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export function registerAudit(program: Command): void {
  program
    .command('audit [pipeline]')
    .description('who changed what and why, newest first')
    .option('--action <action>', 'such as stable.set, or what they begin with, such as token')
    .option('--actor <name>', "of this token's only")
    .option('--since <when>', 'a span back from now, such as 1h, or a time')
    .option('--limit <n>', 'at most so many', positive, 100)
    .option('--cursor <next>', 'go on behind the page before')
    .action(
      withContext<AuditOptions>(async ({ out, client }, options, pipeline) => {
        const page = await (await client()).audit({ ...options, ...(pipeline !== undefined && { pipeline }) });
        const rows = page.items.map(({ at, actor, action, pipeline: of, reason, after }) => [
          when(at),
          actor,
          action,
          of ?? '',
          reason,
          after === undefined ? '' : brief(after),
        ]);
        out.answer(
          page,
          () =>
            table(['AT', 'ACTOR', 'ACTION', 'PIPELINE', 'REASON', 'AFTER'], rows, 'Nothing was changed.') +
            (page.next === undefined ? '' : `\nmore: --cursor ${page.next}`),
        );
      }),
    );
}

const WIDTH = 80;
function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`;
}
