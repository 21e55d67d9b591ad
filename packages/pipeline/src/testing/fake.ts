import type { Resource } from '../resource.js';
import type { PipelineSpec } from '../spec.js';

export interface Fake {
  readonly resource: Resource<unknown>;
  readonly value: unknown;
}

/** Stands in for an opened resource; checked against the resource's own type. */
export function fake<R>(resource: Resource<R>, value: NoInfer<R>): Fake {
  return { resource: resource as Resource<unknown>, value };
}

/** Opens resources by answering their fakes; throws when one is missing, before anything runs. */
export function resourcesFrom({ nodes }: PipelineSpec, fakes: readonly Fake[]): (name: string) => Promise<unknown> {
  const values = new Map(fakes.map(({ resource, value }) => [resource.name, value]));
  for (const { id, uses } of nodes)
    for (const name of uses)
      if (!values.has(name))
        throw new Error(`'${id}' uses '${name}', which has no fake; pass { fakes: [fake(…, …)] } with one for '${name}'`);
  return (name) => Promise.resolve(values.get(name));
}
