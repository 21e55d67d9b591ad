import { type Command, InvalidArgumentError } from 'commander';
import { withContext } from '../context.js';
import type { DemoCommandOptions } from '../demo/command.js';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'five minutes: the example as written, a better version found, rolled out under load, and rolled back; on a stack of its own, which is gone afterwards',
    )
    .option('--limit <n>', 'invoices that each version gets (default: as many as fit the five minutes)', wholeNumber)
    .option('--source <file>', 'your own CSV of invoices, .gz too (default: the real ones of AUTOFLOW_DATA, or generated ones)')
    // `--json` is an option of every command, and has no value there; `--json FILE` is that option and this argument.
    .argument('[file]', 'after --json: the file for the report (without one it is the answer on stdout)')
    .action(withContext<DemoCommandOptions>(async (...given) => (await import('../demo/command.js')).runDemo(...given)));
}

function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It is a whole number above zero.');
  return n;
}
