import { writeFile } from 'node:fs/promises';
import { cacheFolder } from '@autoflow/local-stack';
import type { Context } from '../context.js';
import { demo } from './demo.js';
import { type Printer, printer } from './printer.js';
import type { DemoReport } from './report.js';
import { demoSource } from './source.js';
import { BadAnswerError, usage } from '../errors.js';
import { interruption } from '../local/interruption.js';
import { type RunningStack, startRunningStack } from '../local/running-stack.js';

export interface DemoCommandOptions {
  readonly limit?: number;
  readonly source?: string;
}

/** Of the invoices, for the shadow: a demo has few. */
const RECORD_SHARE = 0.1;

/** A version that is not promoted is an answer. Throws when something is broken: versions that disagree, a rollout or a rollback that failed; after the report was written. */
export async function runDemo({ out: answers, env }: Context, { limit, source: own }: DemoCommandOptions, file?: string): Promise<void> {
  if (file !== undefined && !answers.json) throw usage(`The demo takes no argument. For a report in ${file}: --json ${file}.`);
  const out = printer(answers.json ? process.stderr : process.stdout);
  const interrupted = interruption('The demo', out.fact);
  const startedAt = new Date();
  out.step('Temporal, Postgres, a worker, the admin API and the rate service, for this demo alone');
  const source = await demoSource({ own, dataFolder: env['AUTOFLOW_DATA'], cacheFolder: cacheFolder(env) });
  const report = await onOwnStack({ env, out, interrupted, recordShare: limit === undefined ? RECORD_SHARE : 1 }, (stack, signal) => {
    out.fact(`Temporal ${stack.temporal.address}, API ${stack.api}`);
    out.fact(`Invoices: ${source.about}`);
    const servers = {
      temporal: stack.temporal.external ? 'configured' : 'own, in memory',
      postgres: env['DATABASE_URL'] ? 'configured' : 'own',
    } as const;
    return demo({ stack, servers, source, limit, startedAt, out, signal });
  });
  if (file !== undefined) {
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
    out.fact(`The report is in ${file}.`);
  } else if (answers.json) answers.answer(report, () => '');
  if (!report.equal) throw new BadAnswerError('DEMO_UNEQUAL', 'The two versions gave different results.');
  if (!report.rollout.carriedOut)
    throw new BadAnswerError('DEMO_ROLLOUT', `The rollout ended as ${report.rollout.state}: ${report.rollout.outcome}.`);
  if (!report.rollback.held) throw new BadAnswerError('DEMO_ROLLBACK', `After the rollback to ${report.rollback.to} not all ran on it.`);
}

/** The stack is stopped however the work ends: done, failed, interrupted, or because a part of the stack was lost; the work ends first. */
async function onOwnStack(
  {
    env,
    out,
    interrupted,
    recordShare,
  }: { readonly env: NodeJS.ProcessEnv; readonly out: Printer; readonly interrupted: AbortSignal; readonly recordShare: number },
  work: (stack: RunningStack, signal: AbortSignal) => Promise<DemoReport>,
): Promise<DemoReport> {
  const stack = await startRunningStack({
    name: 'demo',
    mode: 'ephemeral',
    env,
    recordShare,
    log: (line) => out.progress(line),
    signal: interrupted,
  });
  const lost = new AbortController();
  void stack.lost.then((error) => lost.abort(error));
  const signal = AbortSignal.any([interrupted, lost.signal]);
  try {
    return await work(stack, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await stack.stop();
  }
}
