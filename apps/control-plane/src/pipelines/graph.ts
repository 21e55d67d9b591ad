import type { PipelineSpec } from '@autoflow/pipeline';
import type { VersionRow } from '@autoflow/store';
import { toMermaid } from '@autoflow/topology';

/** The graph as written beside the graph as run. */
export function graphOf(spec: PipelineSpec, { name, topology }: VersionRow) {
  const stageOf = new Map(topology.stages.flatMap((stage) => stage.nodes.map((node) => [node, stage.name])));
  const nodes = spec.nodes.map(({ id, kind, effect, inputs, reads, writes, uses }) => ({
    id,
    kind,
    effect,
    inputs,
    reads,
    writes,
    uses,
    stage: stageOf.get(id)!,
  }));
  return { pipeline: spec.name, version: name, nodes, stages: topology.stages, mermaid: toMermaid(topology) };
}
