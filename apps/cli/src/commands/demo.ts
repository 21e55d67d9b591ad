import { writeFile } from 'node:fs/promises';
import { cacheFolder } from '@autoflow/local-stack';
import { demo } from '../demo/demo.js';
import { printer } from '../demo/printer.js';
import { demoSource } from '../demo/source.js';
import { type ExitCode, usage } from '../errors.js';
import { startRunningStack } from '../local/running-stack.js';

export interface DemoCommandOptions {
  /** Invoices that each version gets. */
  readonly limit?: number;
  /** The user's own CSV file. */
  readonly source?: string;
  /** File for the report. */
  readonly json?: string;
}

/** `autoflow demo`: on a stack of its own, which is gone afterwards. 1 when the two versions do not agree. */
export async function runDemo({ limit, source: own, json }: DemoCommandOptions, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) throw usage('--limit is a whole number above zero.');
  const out = printer(process.stdout);
  const startedAt = new Date();

  out.step('Temporal, Postgres, a worker, the admin API and the rate service, for this demo alone');
  const source = await demoSource({ own, dataFolder: env['AUTOFLOW_DATA'], cacheFolder: cacheFolder(env) });
  const stack = await startRunningStack({ name: 'demo', mode: 'ephemeral', env, log: (line) => out.progress(line) });
  const onSignal = () => void stack.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    out.fact(`Temporal ${stack.temporal.address}, API ${stack.api}`);
    out.fact(`Invoices: ${source.about}`);
    const servers = {
      temporal: stack.temporal.external ? 'configured' : 'own, in memory',
      postgres: env['DATABASE_URL'] ? 'configured' : 'own',
    } as const;
    const lost = stack.lost.then((error) => Promise.reject(error));
    const report = await Promise.race([demo({ stack, servers, source, limit, startedAt, out }), lost]);
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
      out.fact(`The report is in ${json}.`);
    }
    return report.equal ? 0 : 1;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal);
    await stack.stop();
  }
}
