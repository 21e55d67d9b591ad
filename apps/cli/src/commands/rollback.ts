import type { Command } from 'commander';
import type { AutoFlowClient, StableSet } from '@autoflow/client';
import { withContext } from '../context.js';
import { CliError } from '../errors.js';
import { short } from '../format.js';

export function registerRollback(program: Command): void {
  program
    .command('rollback <pipeline>')
    .description('go back to the parent of the stable version, or to another one; new executions get it from now on')
    .option('--to <version>', 'default: the parent of the stable version')
    .option('--abort', 'also take back what is under way on the version before; it runs again on the new one')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ to?: string; reason: string; abort?: true }>(async ({ out, client }, { to, reason, abort }, pipeline = '') => {
        const api = await client();
        const before = await api.stable.show(pipeline);
        const version = to ?? (await parentOf(api, pipeline, before.version));
        const started = performance.now();
        const after = await api.stable.set(pipeline, { version, reason, ...(abort && { inFlight: 'abort' as const }) }, before.revision);
        const tookMs = Math.round(performance.now() - started);
        out.answer({ pipeline, from: before, to: after, tookMs }, () =>
          [
            `${before.version} → ${after.version} (release ${short(after.release)}) for new executions, in ${tookMs} ms; ${underWay(before.version, after)}`,
            ...after.notices,
          ].join('\n'),
        );
      }),
    );
}

function underWay(before: string, { inFlight }: StableSet): string {
  if (inFlight === undefined) return `those under way end on ${before}`;
  const { aborted, finishing, because } = inFlight;
  const rest = finishing === 0 ? '' : `; ${finishing} end on ${before}${because === undefined ? '' : `, as ${because}`}`;
  return `${aborted} under way are taken back and run again${rest}`;
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
