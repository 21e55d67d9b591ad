import type { DeadLetter, DeadLetterSummary, LettersSettled, LetterQuery } from '@autoflow/client';
import { type Command, Option } from 'commander';
import { type Context, withContext } from '../context.js';
import { usage } from '../errors.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';

interface Filter {
  readonly scope?: string;
  readonly code?: string;
  readonly stage?: string;
  readonly version?: string;
  readonly since?: string;
}
interface ListOptions extends Filter {
  readonly state: NonNullable<LetterQuery['state']>;
  readonly groups?: true;
  readonly limit: number;
  readonly cursor?: string;
}
interface SettleOptions extends Filter {
  readonly all?: true;
  readonly release?: 'latest' | 'original';
  readonly limit?: number;
  readonly reason: string;
}

/** Of one request: the API takes no more at a time. */
const PORTION = 1000;

export function registerDeadLetters(program: Command): void {
  const letters = program.command('dead-letters').description('records that died: list, show, run again, or let be');

  filtered(letters.command('list <pipeline>').description('newest first'))
    .addOption(
      new Option('--state <state>', 'what became of them').choices(['open', 'redriven', 'discarded', 'past', 'any']).default('open'),
    )
    .option('--groups', 'how many of each code in each function')
    .option('--limit <n>', 'at most so many', positive, 100)
    .option('--cursor <next>', 'go on behind the page before')
    .action(withContext<ListOptions>(list));

  letters
    .command('show <pipeline> <id>')
    .description('one dead letter with its record and its history')
    .option('--reveal', 'with the values of sensitive fields (admins; it is in the audit log)')
    .action(
      withContext<{ reveal?: true }>(async ({ out, client }, { reveal }, pipeline = '', id = '') => {
        const letter = await (await client()).deadLetters.show(pipeline, id, { reveal });
        out.answer(letter, () => text(letter));
      }),
    );

  filtered(letters.command('redrive <pipeline> [id]').description('run the record again: one by id, or all that match'))
    .addOption(
      new Option('--release <which>', 'as new traffic, or on the version it died on').choices(['latest', 'original']).default('latest'),
    )
    .option('--all', 'all that are open, whatever their code')
    .option('--limit <n>', 'at most so many', positive)
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<SettleOptions>(async (context, options, pipeline = '', id) => {
        const { reason, release: to = 'latest' } = options;
        const { deadLetters } = await context.client();
        if (id !== undefined) return one(context, options, () => deadLetters.redrive(pipeline, id, { to, reason }));
        return many(context, options, 'redriven', (body) => deadLetters.redriveMany(pipeline, { ...body, to }));
      }),
    );

  filtered(letters.command('discard <pipeline> [id]').description('let it be, with a reason: one by id, or all that match'))
    .option('--all', 'all that are open, whatever their code')
    .option('--limit <n>', 'at most so many', positive)
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<SettleOptions>(async (context, options, pipeline = '', id) => {
        const { deadLetters } = await context.client();
        if (id !== undefined) return one(context, options, () => deadLetters.discard(pipeline, id, options.reason));
        return many(context, options, 'discarded', (body) => deadLetters.discardMany(pipeline, body));
      }),
    );
}

function filtered(command: Command): Command {
  return command
    .option('--scope <name>', 'of this one only')
    .option('--code <code>', 'such as RATE_UNKNOWN')
    .option('--stage <name>', 'the function or stage in which they died')
    .option('--version <version>', 'on which they died')
    .option('--since <when>', 'a span back from now, such as 1h, or a time');
}

async function list({ out, client }: Context, { groups, limit, cursor, ...filter }: ListOptions, pipeline = ''): Promise<void> {
  const { deadLetters } = await client();
  if (groups) {
    const { items } = await deadLetters.groups(pipeline, { ...filter, limit });
    const rows = items.map(({ code, in: place, count, firstAt, lastAt, message }) => [
      count,
      code,
      place,
      when(firstAt),
      when(lastAt),
      message,
    ]);
    return out.answer(items, () => table(['LETTERS', 'CODE', 'IN', 'FIRST', 'LAST', 'NEWEST MESSAGE'], rows, 'No dead letters.'));
  }
  const page = await deadLetters.list(pipeline, { ...filter, limit, ...(cursor !== undefined && { cursor }) });
  out.answer(
    page,
    () => table(HEAD, page.items.map(row), 'No dead letters.') + (page.next === undefined ? '' : `\nmore: --cursor ${page.next}`),
  );
}

const HEAD = ['ID', 'KEY', 'SCOPE', 'VERSION', 'IN', 'CODE', 'MESSAGE', 'STATE', 'DIED'];

function row({ id, key, scope, version, in: place, code, message, state, diedAt }: DeadLetterSummary): string[] {
  return [id, key, scope, version, place, code, message, state, when(diedAt)];
}

function text({ key, in: place, version, diedAt, code, message, state, fate, record, history }: DeadLetter): string {
  return [
    `${key} died in ${place} on ${version} at ${when(diedAt)} · ${state}${fate === undefined ? '' : ` at ${when(fate.at)} by ${fate.actor}: ${fate.reason}`}`,
    `${code}: ${message}`,
    JSON.stringify(record, undefined, 2),
    ...(history.length > 1 ? ['', table(HEAD, history.map(row))] : []),
  ].join('\n');
}

async function one({ out }: Context, options: SettleOptions, settle: () => Promise<DeadLetter>): Promise<void> {
  if (options.all || hasFilter(options)) throw usage('Give an id, or what the letters must match, not both.');
  const letter = await settle();
  out.answer(letter, () => `${letter.key} is ${letter.state}.`);
}

/** Portion by portion, with progress; what is interrupted goes on when it is said again. */
async function many(
  { out }: Context,
  { all, limit = Infinity, reason, scope, code, stage, version, since }: SettleOptions,
  what: 'redriven' | 'discarded',
  settle: (body: Filter & { limit: number; reason: string }) => Promise<LettersSettled>,
): Promise<void> {
  const filter = {
    ...(scope !== undefined && { scope }),
    ...(code !== undefined && { code }),
    ...(stage !== undefined && { stage }),
    ...(version !== undefined && { version }),
    ...(since !== undefined && { since }),
  };
  if (!all && Object.keys(filter).length === 0) throw usage('Give an id, what the letters must match (such as --code), or --all.');
  const sum: LettersSettled = { matched: 0, done: 0, skipped: 0, remaining: 0 };
  const bar = out.progress();
  try {
    for (let left = limit; left > 0;) {
      const { matched, done, skipped, ...rest } = await settle({ ...filter, limit: Math.min(left, PORTION), reason });
      Object.assign(sum, { matched: sum.matched || matched, done: sum.done + done, skipped: sum.skipped + skipped, ...rest });
      bar.show(sum.done, Math.min(sum.matched, limit), what);
      left -= done;
      if (rest.remaining === 0 || done === 0) break;
    }
  } finally {
    bar.end();
  }
  const { done, skipped, remaining, keyless = 0 } = sum;
  const left = `${skipped > 0 ? `, ${skipped} left alone` : ''}; ${remaining} remain open`;
  const without = `; ${keyless} more do not go by their record's key (KEY_CONFLICT, or no key): discard them, and submit their records anew`;
  out.answer(sum, () => `${done} ${what}${left}${keyless > 0 ? without : ''}`);
}

function hasFilter({ scope, code, stage, version, since }: Filter): boolean {
  return [scope, code, stage, version, since].some((given) => given !== undefined);
}
