import { setTimeout as delay } from 'node:timers/promises';
import type { Scorer } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { BadAnswerError } from '../errors.js';
import { percent, when } from '../format.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';

interface RetrainOptions {
  readonly since?: string;
  readonly stretch?: string;
  readonly reason?: string;
  readonly wait?: boolean;
}
const POLL_MS = 1_000;

export function registerScorer(program: Command): void {
  const scorer = program.command('scorer').description('the learned scorer of topologies, retrained on what a pipeline was measured to do');

  scorer
    .command('retrain <pipeline>')
    .description('train it further on the history of the stable release; it is used only if it is nearer to versions that it has not seen')
    .option('--since <span>', 'how far back: 7d, 12h (default: 30d)')
    .option('--stretch <span>', 'what is measured as one (default: 1m)')
    .option('--reason <text>', 'for the audit log')
    .option('--no-wait', 'answer at once')
    .action(
      withContext<RetrainOptions>(async ({ out, client }, { since, stretch, reason, wait }, pipeline = '') => {
        const { scorers } = await client();
        let found = await scorers.retrain(pipeline, { ...(since && { since }), ...(stretch && { stretch }), ...(reason && { reason }) });
        if (wait !== false) out.note(`${found.id} is running; Ctrl-C leaves it running`);
        while (wait !== false && found.state === 'running') {
          await delay(POLL_MS);
          found = await scorers.show(pipeline, found.id);
        }
        if (found.state === 'failed') throw new BadAnswerError(found.failure?.code ?? 'FAILED', found.failure?.message ?? 'It failed.');
        out.answer(found, () => text(found));
      }),
    );

  scorer
    .command('list <pipeline>')
    .description('newest first, those that were no better among them')
    .action(
      withContext(async ({ out, client }, _, pipeline = '') => {
        const { scorers } = await client();
        const items = await everyPage((page) => scorers.list(pipeline, page));
        const rows = items.map(({ id, kept, createdAt, reason }) => [id, kept ? 'kept' : 'not kept', when(createdAt), reason ?? '']);
        out.answer(items, () => table(['SCORER', 'STATE', 'SINCE', 'BECAUSE'], rows, 'None: the scorer that comes with AutoFlow is used.'));
      }),
    );

  scorer
    .command('show <pipeline> <id>')
    .description('what it was made from, and how near it is to what was measured')
    .action(
      withContext(async ({ out, client }, _, pipeline = '', id = '') => {
        const found = await (await client()).scorers.show(pipeline, id);
        out.answer(found, () => text(found));
      }),
    );
}

function text({ id, state, kept, reason, failure, about }: Scorer): string {
  if (about === undefined) return `${id} is ${state}. ${failure?.message ?? ''}`.trim();
  const { current, retrained } = about.heldOut;
  const off = (ln: number): string => percent(Math.exp(ln) - 1);
  const rows = (['cost', 'p95', 'throughput'] as const).map((of) => [of, off(current[of]), off(retrained[of])]);
  return [
    `${id} is ${kept ? 'used' : 'not used'}. ${reason ?? ''}`,
    table(['OFF BY, IN THE MEAN', 'BEFORE', 'RETRAINED'], rows),
    `${about.stretches.used} stretches, ${about.stretches.leftOut} left out · data ${about.dataHash.slice(0, 12)}, seed ${about.seed}, from ${about.base}`,
  ].join('\n');
}
