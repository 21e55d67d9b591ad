import type { Command } from 'commander';
import type { AutoFlowClient } from '@autoflow/client';
import { withContext } from '../context.js';
import { CliError } from '../errors.js';
import { short } from '../format.js';

export function registerRollback(program: Command): void {
  program
    .command('rollback <pipeline>')
    .description('go back to the parent of the stable version, or to another one; new executions get it from now on')
    .option('--to <version>', 'default: the parent of the stable version')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ to?: string; reason: string }>(async ({ out, client }, { to, reason }, pipeline = '') => {
        const api = await client();
        const before = await api.stable.show(pipeline);
        const version = to ?? (await parentOf(api, pipeline, before.version));
        const started = performance.now();
        const after = await api.stable.set(pipeline, { version, reason }, before.revision);
        const tookMs = Math.round(performance.now() - started);
        out.answer({ pipeline, from: before, to: after, tookMs }, () =>
          [
            `${before.version} → ${after.version} (release ${short(after.release)}) for new executions, in ${tookMs} ms; those under way end on ${before.version}`,
            ...after.notices,
          ].join('\n'),
        );
      }),
    );
}

async function parentOf(api: AutoFlowClient, pipeline: string, version: string): Promise<string> {
  const { parent } = await api.versions.show(pipeline, version);
  if (parent === undefined)
    throw new CliError(
      'NO_PARENT',
      `${pipeline} ${version} has no parent to go back to. Name a version with --to (autoflow versions list ${pipeline}).`,
    );
  return parent;
}
