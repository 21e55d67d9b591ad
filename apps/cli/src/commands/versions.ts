import { readFileSync } from 'node:fs';
import type { Version } from '@autoflow/client';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { usage } from '../errors.js';
import { short, when } from '../format.js';
import { table } from '../output.js';
import { changed, settingsText } from './autonomy.js';
import { everyPage } from './pages.js';

export function registerVersions(program: Command): void {
  const versions = program
    .command('versions')
    .description('list, show, compare, register and pin versions; see or move the stable pointer');

  versions
    .command('list <pipeline>')
    .description('all versions')
    .action(
      withContext(async ({ out, client }, _, pipeline = '') => {
        const api = await client();
        const items = await everyPage((page) => api.versions.list(pipeline, page));
        const rows = items.map((version) => [
          version.name,
          short(version.release),
          version.stable ? 'stable' : '',
          version.author,
          topologyText(version),
          version.parent ?? '',
          when(version.createdAt),
        ]);
        out.answer(items, () => table(['VERSION', 'RELEASE', 'STATE', 'BY', 'TOPOLOGY', 'PARENT', 'SINCE'], rows));
      }),
    );

  versions
    .command('show <pipeline> <version>')
    .description('one version with its stages')
    .action(
      withContext(async ({ out, client }, _, pipeline = '', name = '') => {
        const version = await (await client()).versions.show(pipeline, name);
        const rows = version.topology.stages.map((stage) => {
          const { memoryMb = [], concurrency } = version.envelope[stage.name] ?? {};
          return [
            stage.name,
            stage.after.join(' '),
            stage.partitions,
            memoryMb.join(' '),
            concurrency ? `${concurrency.min}..${concurrency.max}` : '',
          ];
        });
        const head = `${pipeline} ${version.name}${version.stable ? ' (stable)' : ''} · release ${short(version.release)} · ${topologyText(version)} · by ${version.author}`;
        const history = version.history.map(({ status, at, actor, reason }) => [when(at), status, actor, reason]);
        const tables = [
          table(['STAGE', 'AFTER', 'PARTS', 'MEMORY MB', 'INSTANCES'], rows),
          table(['SINCE', 'WAS', 'BY', 'BECAUSE'], history),
        ];
        out.answer(version, () => [head, ...tables].join('\n\n'));
      }),
    );

  versions
    .command('diff <pipeline> <from> <to>')
    .description('what changes from one version to another')
    .option('--mermaid', 'as a Mermaid flowchart of both: what is added, removed and moved')
    .action(
      withContext<{ mermaid?: true }>(async ({ out, client }, { mermaid }, pipeline = '', from = '', to = '') => {
        const diff = await (await client()).versions.diff(pipeline, from, to);
        if (mermaid) return out.answer(diff, () => diff.mermaid.trimEnd());
        out.answer(diff, () => diff.changes.map(({ text }) => text).join('\n') || `${from} and ${to} run the same.`);
      }),
    );

  versions
    .command('register <pipeline>')
    .description('propose a topology by hand; it is checked like any other')
    .requiredOption('--file <json>', 'the topology, as JSON')
    .option('--parent <version>', 'the version it comes from (default: the stable one)')
    .option('--note <text>', 'what it is for')
    .action(
      withContext<{ file: string; parent?: string; note?: string }>(async ({ out, client }, { file, parent, note }, pipeline = '') => {
        const topology = readJson(file);
        const { version, created } = await (
          await client()
        ).versions.register(pipeline, { topology, ...(parent !== undefined && { parent }), ...(note !== undefined && { note }) });
        out.answer(
          { ...version, created },
          () => `${pipeline} ${version.name}${created ? '' : ' (was there already)'} · ${topologyText(version)}`,
        );
      }),
    );

  versions
    .command('stable <pipeline> [version]')
    .description('show the version that new executions get, or make it this one')
    .option('--reason <text>', 'for the audit log; needed to change it')
    .action(
      withContext<{ reason?: string }>(async ({ out, client }, { reason }, pipeline = '', version) => {
        const api = await client();
        const before = await api.stable.show(pipeline);
        if (version === undefined) return out.answer(before, () => `${pipeline} ${before.version} · release ${short(before.release)}`);
        if (reason === undefined) throw usage('Changing the stable version needs --reason.');
        const after = await api.stable.set(pipeline, { version, reason }, before.revision);
        out.answer(after, () => [`${before.version} → ${after.version} for new executions of ${pipeline}`, ...after.notices].join('\n'));
      }),
    );

  versions
    .command('pin <pipeline> [version]')
    .description('AutoFlow leads no traffic away from it (default: the stable one); people still may')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ reason: string }>(async ({ out, client }, { reason }, pipeline = '', version) => {
        const api = await client();
        const settings = await changed(api, pipeline, { pinned: version ?? (await api.stable.show(pipeline)).version }, reason);
        out.answer(settings, () => settingsText(settings));
      }),
    );

  versions
    .command('unpin <pipeline>')
    .description('AutoFlow may go on')
    .requiredOption('--reason <text>', 'for the audit log')
    .action(
      withContext<{ reason: string }>(async ({ out, client }, { reason }, pipeline = '') => {
        const settings = await changed(await client(), pipeline, { pinned: null }, reason);
        out.answer(settings, () => settingsText(settings));
      }),
    );
}

function topologyText({ topology: { stages, batch } }: Version): string {
  return `${stages.length === 1 ? '1 stage' : `${stages.length} stages`}, batch ${batch.records}`;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw usage(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}
