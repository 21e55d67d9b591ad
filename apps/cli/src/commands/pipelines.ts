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
    .command('releases <pipeline>')
    .description('all releases, with what became of their functions')
    .action(
      withContext(async ({ out, client }, _, name = '') => {
        const { items } = await (await client()).releases.list(name);
        out.answer(items, () =>
          table(
            ['RELEASE', 'STATE', 'VERSIONS', 'FUNCTIONS', 'SINCE'],
            items.map(({ hash, stable, versions, functions, createdAt }, i) => [
              short(hash),
              stable ? 'stable' : '',
              versions.join(' '),
              functionsText(functions, items[i - 1]?.functions),
              when(createdAt),
            ]),
          ),
        );
      }),
    );

  pipelines
    .command('register <module>')
    .description('upload a module and register the pipelines it exports, as written; a known pipeline keeps its stable version')
    .option('--reason <text>', 'for the audit log', 'registered by autoflow pipelines register')
    .action(
      withContext<{ reason: string }>(async ({ out, client, project }, { reason }, module = '') => {
        const { registerModule } = await import('../modules/register.js');
        const registered = await registerModule(await client(), locateModule(module, 'pipeline', await project()), reason);
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

/** Against the release before. */
function functionsText(functions: Readonly<Record<string, string>> | undefined, before: Readonly<Record<string, string>> = {}): string {
  if (functions === undefined) return 'not told';
  const all = Object.entries(functions);
  const other = all.filter(([node, hash]) => before[node] !== hash).map(([node]) => node);
  if (other.length === all.length) return `${all.length}, all changed`;
  return other.length === 0 ? `${all.length}, all as before` : `${all.length}, changed: ${other.join(' ')}`;
}
