import { type Token } from '@autoflow/client';
import { type Command, Option } from 'commander';
import { withContext } from '../context.js';
import { when } from '../format.js';
import { table } from '../output.js';
import { positive } from './backfill.js';
import { everyPage } from './pages.js';

interface CreateOptions {
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly expires?: string;
  readonly reason: string;
}
interface RotateOptions {
  readonly grace: number;
  readonly expires?: string;
  readonly reason: string;
}

export function registerTokens(program: Command): void {
  const tokens = program.command('tokens').description('who may do what: list, create, rotate and revoke tokens');

  tokens
    .command('list')
    .description('all tokens, without what they are')
    .action(
      withContext(async ({ out, client }) => {
        const items = await everyPage((await client()).tokens.list);
        out.answer(items, () => table(['TOKEN', 'ROLE', 'CREATED', 'LAST USED', 'ROTATED', 'EXPIRES'], items.map(row), 'No tokens.'));
      }),
    );

  tokens
    .command('create <name>')
    .description('make one; it is shown now and never again')
    .addOption(new Option('--role <role>', 'what it may do').choices(['viewer', 'operator', 'admin']).makeOptionMandatory())
    .option('--expires <time>', 'when it is taken no more, as 2027-01-01T00:00:00Z (default: never)')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<CreateOptions>(async ({ out, client }, { role, expires, reason }, name = '') => {
        const made = await (await client()).tokens.create({ name, role, ...expiry(expires), reason });
        out.answer(made, () => shown(made.token));
      }),
    );

  tokens
    .command('rotate <name>')
    .description('a new token in its place; the old one is taken a while longer')
    .option('--grace <seconds>', 'how long the old one is taken', seconds, 3600)
    .option('--expires <time>', 'when the new one is taken no more')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<RotateOptions>(async ({ out, client }, { grace, expires, reason }, name = '') => {
        const made = await (await client()).tokens.rotate(name, { graceSeconds: grace, ...expiry(expires), reason });
        out.answer(made, () => shown(made.token));
      }),
    );

  tokens
    .command('revoke <name>')
    .description('take it no more, at once')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ reason: string }>(async ({ out, client }, { reason }, name = '') => {
        const revoked = await (await client()).tokens.revoke(name, reason);
        out.answer(revoked, () => `${name} (${revoked.role}) is taken no more.`);
      }),
    );
}

/** None at all is a grace, too. */
function seconds(text: string): number {
  return text === '0' ? 0 : positive(text);
}

const expiry = (expires: string | undefined) => (expires === undefined ? {} : { expiresAt: expires });
const shown = (token: string) => `${token}\n\nIt is shown this once. Keep it where secrets are kept.`;

function row({ name, role, createdAt, lastUsedAt, rotatedAt, expiresAt }: Token): string[] {
  const time = (at: string | undefined, otherwise: string) => (at === undefined ? otherwise : when(at));
  return [name, role, when(createdAt), time(lastUsedAt, 'never'), time(rotatedAt, ''), time(expiresAt, 'never')];
}
