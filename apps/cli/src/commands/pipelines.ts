import { join } from 'node:path';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { short, when } from '../format.js';
import { locateModule } from '../modules/locate.js';
import { table } from '../output.js';
import { everyPage } from './pages.js';

export function registerPipelines(program: Command): void {
  const pipelines = program.command('pipelines').description('list, show and register pipelines');

  pipelines
    .command('list')
    .description('all pipelines with their stable versions')
    .action(
      withContext(async ({ out, client }) => {
        const items = await everyPage((await client()).pipelines.list);
        const rows = items.map(({ name, stable, createdAt }) => [name, stable.version, short(stable.release), when(createdAt)]);
        out.answer(items, () => table(['PIPELINE', 'STABLE', 'RELEASE', 'SINCE'], rows));
      }),
    );

  pipelines
    .command('show <pipeline>')
    .description('one pipeline: its functions, as written')
    .option('--mermaid', 'the graph of the stable version as a Mermaid flowchart')
    .action(
      withContext<{ mermaid?: true }>(async ({ out, client }, { mermaid }, name = '') => {
        const api = await client();
        if (mermaid) {
          const graph = await api.pipelines.graph(name);
          return out.answer(graph, () => graph.mermaid.trimEnd());
        }
        const pipeline = await api.pipelines.show(name);
        const rows = pipeline.spec.nodes.map(({ id, kind, effect, reads, writes, uses }) => [
          id,
          kind,
          effect,
          reads.join(' '),
          writes.join(' '),
          uses.join(' '),
        ]);
        out.answer(
          pipeline,
          () =>
            `${name} · stable ${pipeline.stable.version} · release ${short(pipeline.stable.release)}\n\n${table(['FUNCTION', 'KIND', 'EFFECT', 'READS', 'WRITES', 'USES'], rows)}`,
        );
      }),
    );

  pipelines
    .command('register <module>')
    .description('bundle a module and register the pipelines it exports')
    .option('--releases <folder>', 'folder of releases that the function hosts read (default: that of the local stack)')
    .option('--reason <text>', 'for the audit log', 'registered by autoflow pipelines register')
    .action(
      withContext<{ releases?: string; reason: string }>(async ({ out, client, env, stack }, { releases, reason }, module = '') => {
        const { stackFolder } = await import('@autoflow/local-stack');
        const { registerModule } = await import('../modules/register.js');
        const folder = releases ?? join(stackFolder({ name: stack, env }), 'releases');
        const registered = await registerModule(await client(), locateModule(module, 'pipeline'), folder, reason);
        out.answer(registered, () =>
          registered
            .map(
              ({ name, version, release, created }) =>
                `${name} · release ${short(release)} · version ${version}${created ? '' : ' (was there already)'}`,
            )
            .join('\n'),
        );
      }),
    );
}
