import { dependencies, type NodeSpec, type PipelineSpec } from '@autoflow/pipeline';
import { stageName } from './stage-name.js';
import { DEFAULT_BATCH_BYTES, type Stage, type Topology } from './topology.js';

/**
 * The topology of a pipeline as its author wrote it, always legal: one stage per call, batches of one record, nothing divided.
 * A stage waits for the calls whose records it is called on, and for what the order of the text decides (two writes, a shared resource,
 * two filters). What it waits for already through another stage is left out: a record carries all that was written before.
 */
export function asWritten(spec: PipelineSpec): Topology {
  const before = new Map<string, string[]>(spec.nodes.map((node) => [node.id, [...node.inputs]]));
  for (const { from, to } of dependencies(spec)) before.get(to)?.push(from);
  const ancestors = new Map<string, Set<string>>();
  const stages = spec.nodes.map((node) => stageOf(node, before.get(node.id) ?? [], ancestors));
  return { stages, batch: { records: 1, bytes: DEFAULT_BATCH_BYTES }, lingerMs: 0 };
}

/** Nodes come in topological order, so the ancestors of all predecessors are known; they grow by this node's. */
function stageOf(node: NodeSpec, before: readonly string[], ancestors: Map<string, Set<string>>): Stage {
  const direct = [...new Set(before)];
  const covered = new Set(direct.flatMap((id) => [...(ancestors.get(id) ?? [])]));
  ancestors.set(node.id, new Set([...direct, ...covered]));
  const after = direct.filter((id) => !covered.has(id)).map((id) => stageName([id]));
  return { name: stageName([node.id]), nodes: [node.id], after, partitions: 1 };
}
