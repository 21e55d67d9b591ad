import { dependencies, type PipelineSpec, specOf } from '@autoflow/pipeline';
import { asWritten, toMermaid, validateTopology } from '@autoflow/topology';
import type { Context } from '../context.js';
import { BadAnswerError, CliError } from '../errors.js';
import { findModule, locateModules, type LocatedModule } from './locate.js';
import { loadModule } from './load.js';
import { reduceReports, type NamedReport } from './reduce-laws.js';
import { table } from '../output.js';

/** Answers the wiring, then fails if something in it does not hold. */
export async function check({ out, client, project }: Context, { mermaid }: { mermaid?: true }, name?: string): Promise<void> {
  const found = name === undefined ? undefined : findModule(name, 'all', await project());
  const isRegistered = name !== undefined && found === undefined;
  const checked = isRegistered
    ? [{ spec: (await (await client()).pipelines.show(name)).spec, reduces: [] }]
    : (await Promise.all(locateModules(name, 'all', await project()).map(ofModule))).flat();
  const reports = checked.map(({ spec, reduces }) => {
    const topology = asWritten(spec);
    return {
      pipeline: spec.name,
      nodes: spec.nodes,
      dependencies: dependencies(spec),
      problems: validateTopology(spec, topology),
      reduces,
      mermaid: toMermaid(topology),
    };
  });
  out.answer(reports, () => (mermaid ? reports.map((report) => report.mermaid.trimEnd()).join('\n') : reports.map(text).join('\n\n')));
  const broken = reports.flatMap(({ problems, reduces }) => [
    ...problems.map(({ message }) => message),
    ...reduces.flatMap((report) => (report.holds ? [] : [report.message])),
  ]);
  if (broken.length > 0) throw new BadAnswerError('CHECK_FAILED', broken.join('\n'));
}

async function ofModule({ file, name }: LocatedModule): Promise<{ spec: PipelineSpec; reduces: NamedReport[] }[]> {
  const { pipelines, samples = [], fakes } = await loadModule(file);
  if (pipelines.length === 0) throw new CliError('PIPELINE_MISSING', `${name} exports no pipeline. Export what definePipeline(…) answers.`);
  const isForSamples = pipelines.length === 1;
  return Promise.all(
    pipelines.map(async (pipeline) => ({
      spec: specOf(pipeline),
      reduces: isForSamples ? await reduceReports(pipeline, samples, fakes) : [],
    })),
  );
}

function text({
  pipeline,
  nodes,
  dependencies: all,
  reduces,
}: {
  pipeline: string;
  nodes: PipelineSpec['nodes'];
  dependencies: ReturnType<typeof dependencies>;
  reduces: readonly NamedReport[];
}): string {
  const rows = nodes.map(({ id, kind, effect, reads, writes, uses }) => [
    id,
    kind,
    effect,
    reads.join(' '),
    writes.join(' '),
    uses.join(' '),
    [...new Set(all.filter(({ to }) => to === id).map(({ from }) => from))].join(' '),
  ]);
  const laws = reduces.map(
    ({ node, ...report }) => `${node}: ${report.holds ? `associative and commutative in ${report.tried} tries` : report.message}`,
  );
  return [
    `${pipeline}: ${nodes.length} functions`,
    table(['FUNCTION', 'KIND', 'EFFECT', 'READS', 'WRITES', 'USES', 'MUST COME AFTER'], rows),
    ...laws,
  ].join('\n\n');
}
