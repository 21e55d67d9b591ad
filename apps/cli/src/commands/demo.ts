import { writeFile } from 'node:fs/promises';
import { cacheFolder } from '@autoflow/local-stack';
import { type Command, InvalidArgumentError } from 'commander';
import { type Context, withContext } from '../context.js';
import { demo } from '../demo/demo.js';
import { type Printer, printer } from '../demo/printer.js';
import type { DemoReport } from '../demo/report.js';
import { demoSource } from '../demo/source.js';
import { CliError } from '../errors.js';
import { type RunningStack, startRunningStack } from '../local/running-stack.js';

interface DemoCommandOptions {
  readonly limit?: number;
  readonly source?: string;
  readonly json?: string;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('two minutes: the example as written, then better, then rolled back; on a stack of its own, which is gone afterwards')
    .option('--limit <n>', 'invoices that each version gets (default: as many as fit the two minutes)', wholeNumber)
    .option('--source <file>', 'your own CSV of invoices, .gz too (default: the real ones of AUTOFLOW_DATA, or generated ones)')
    .option('--json <file>', 'where to write the report')
    .action(withContext<DemoCommandOptions>(runDemo));
}

/** Throws when the two versions do not agree, after the report was written. */
async function runDemo({ env }: Context, { limit, source: own, json }: DemoCommandOptions): Promise<void> {
  const out = printer(process.stdout);
  const startedAt = new Date();
  out.step('Temporal, Postgres, a worker, the admin API and the rate service, for this demo alone');
  const source = await demoSource({ own, dataFolder: env['AUTOFLOW_DATA'], cacheFolder: cacheFolder(env) });
  const report = await onOwnStack(env, out, (stack) => {
    out.fact(`Temporal ${stack.temporal.address}, API ${stack.api}`);
    out.fact(`Invoices: ${source.about}`);
    const servers = {
      temporal: stack.temporal.external ? 'configured' : 'own, in memory',
      postgres: env['DATABASE_URL'] ? 'configured' : 'own',
    } as const;
    return demo({ stack, servers, source, limit, startedAt, out });
  });
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
    out.fact(`The report is in ${json}.`);
  }
  if (!report.equal) throw new CliError('DEMO_UNEQUAL', 'The two versions gave different results.');
}

/** The stack is stopped however the work ends: done, failed, interrupted, or because a part of the stack was lost. */
async function onOwnStack(env: NodeJS.ProcessEnv, out: Printer, work: (stack: RunningStack) => Promise<DemoReport>): Promise<DemoReport> {
  const interrupted = interruption();
  const stack = await startRunningStack({ name: 'demo', mode: 'ephemeral', env, log: (line) => out.progress(line) });
  try {
    const lost = stack.lost.then((error) => Promise.reject(error));
    return await Promise.race([work(stack), lost, interrupted]);
  } finally {
    await stack.stop();
  }
}

/** Rejects at the first SIGINT or SIGTERM, also one that comes while the stack is still starting. */
function interruption(): Promise<never> {
  const rejects = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new CliError('INTERRUPTED', `The demo was ended by ${signal}.`)));
  });
  rejects.catch(() => undefined);
  return rejects;
}

function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It is a whole number above zero.');
  return n;
}
