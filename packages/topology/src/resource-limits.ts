import type { PipelineSpec } from '@autoflow/pipeline';
import type { Topology } from './topology.js';

/** A resource that allows only so many users at once, and the stages whose instances are its users. */
export interface LimitedResource {
  readonly name: string;
  /** Fleet-wide; every instance of every user counts one. */
  readonly concurrency: number;
  /** Names of stages, in the order of the topology. */
  readonly users: readonly string[];
}

/** The resources that bound the allocations of a topology: those with a concurrency limit and at least one user. */
export function limitedResources(spec: PipelineSpec, topology: Pick<Topology, 'stages'>): LimitedResource[] {
  const uses = new Map(spec.nodes.map((node) => [node.id, node.uses]));
  return spec.resources.flatMap(({ name, limit }) => {
    if (limit?.concurrency === undefined) return [];
    const users = topology.stages.filter((stage) => stage.nodes.some((id) => uses.get(id)?.includes(name)));
    return users.length === 0 ? [] : [{ name, concurrency: limit.concurrency, users: users.map((stage) => stage.name) }];
  });
}
