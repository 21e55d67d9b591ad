import { writeFile } from 'node:fs/promises';
import { cacheFolder } from '@autoflow/local-stack';
import type { Context } from '../context.js';
import { demo } from './demo.js';
import { type Printer, printer } from './printer.js';
import type { DemoReport } from './report.js';
import { demoSource } from './source.js';
import { CliError, usage } from '../errors.js';
import { type RunningStack, startRunningStack } from '../local/running-stack.js';

export interface DemoCommandOptions {
  readonly limit?: number;
  readonly source?: string;
}

/** Throws when the two versions do not agree, after the report was written. */
export async function runDemo({ out: answers, env }: Context, { limit, source: own }: DemoCommandOptions, file?: string): Promise<void> {
  if (file !== undefined && !answers.json) throw usage(`The demo takes no argument. For a report in ${file}: --json ${file}.`);
  const out = printer(answers.json && file === undefined ? process.stderr : process.stdout);
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
  if (file !== undefined) {
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
    out.fact(`The report is in ${file}.`);
  } else if (answers.json) answers.answer(report, () => '');
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
