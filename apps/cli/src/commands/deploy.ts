import type { Deployment } from '@autoflow/client';
import { type Command, Option } from 'commander';
import { withContext } from '../context.js';
import { short } from '../format.js';
import type { Deployed } from '../modules/deploy.js';

interface Options {
  readonly plan: 'keep' | 'as-written';
  readonly dryRun?: true;
  readonly hold?: true;
  readonly reason: string;
}

export function registerDeploy(program: Command): void {
  program
    .command('deploy [pipeline|module]')
    .description(
      'bundle a module (none named: those of the project), upload it, and give it to new executions; no worker restarts, and what is under way ends on its release',
    )
    .addOption(
      new Option('--plan <plan>', 'keep the stable topology if the wiring is the same, or start as written')
        .choices(['keep', 'as-written'])
        .default('keep'),
    )
    .option('--dry-run', 'say what would happen')
    .option('--hold', 'register only; new executions get it when you say so (autoflow versions stable)')
    .option('--reason <text>', 'for the audit log', 'deployed by autoflow deploy')
    .action(
      withContext<Options>(async ({ out, client, project }, options, name) => {
        const { locateModules } = await import('../modules/locate.js');
        const { deployModule } = await import('../modules/deploy.js');
        const modules = locateModules(name, 'pipeline', await project());
        const api = await client();
        const deployed: Deployed[] = [];
        for (const { file } of modules) deployed.push(await deployModule(api, file, options));
        out.answer(name === undefined ? deployed : deployed[0], () => deployed.map(deployedText).join('\n'));
      }),
    );
}

export function deployedText({ release, bytes, uploaded, pipelines }: Deployed): string {
  const kept = uploaded === undefined ? 'not uploaded (dry run)' : uploaded ? 'uploaded' : 'was there already';
  return [`release ${short(release)} · ${Math.ceil(bytes / 1024)} KiB · ${kept}`, ...pipelines.map(lineOf)].join('\n');
}

function lineOf({ pipeline, dryRun, plan, why, version, stable, before, functions }: Deployment): string {
  const name = version?.name ?? 'a new version';
  const topology = plan === 'kept' ? 'keeps the topology' : 'as written';
  const would = dryRun ? 'would be' : 'is';
  const pointer = stable
    ? `${would} stable${before === undefined || before.version === version?.name ? '' : ` (${before.version} before)`}`
    : `${would} held; ${before?.version} stays stable`;
  const other = functions.filter(({ change }) => change !== 'same').map(({ node }) => node);
  const changed =
    other.length === 0 ? 'none changed' : other.length === functions.length ? 'all of them changed' : `changed: ${other.join(', ')}`;
  return `${pipeline} · ${functions.length} functions, ${changed} · version ${name} ${pointer} · ${topology}: ${why}`;
}
