import { type Context, withContext } from '../context.js';
import type { Command } from 'commander';
import { BadAnswerError } from '../errors.js';
import type { Finding } from '../doctor/findings.js';
import { table } from '../output.js';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('is everything in order on this machine, and what to do where it is not')
    .action(withContext(doctor));
}

async function doctor(context: Context): Promise<void> {
  const { findings } = await import('../doctor/findings.js');
  const all = await findings(context);
  context.out.answer(all, () =>
    table(
      ['', 'WHAT', 'FOUND'],
      all.map(({ state, what, found, remedy }) => [SIGN[state], what, remedy === undefined ? found : `${found} → ${remedy}`]),
    ),
  );
  const broken = all.filter(({ state }) => state === 'broken');
  if (broken.length > 0)
    throw new BadAnswerError(
      'DOCTOR',
      broken.map(({ what, found, remedy }) => `${what}: ${found}${remedy === undefined ? '' : `. ${remedy}`}`).join('\n'),
    );
}

const SIGN: Readonly<Record<Finding['state'], string>> = { ok: 'ok', note: 'note', broken: 'NOT OK' };
