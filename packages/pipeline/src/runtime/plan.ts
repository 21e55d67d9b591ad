import { dependencies } from '../dependencies.js';
import type { FunctionDefinition } from '../definition.js';
import { ancestorsOf, hasWriteEffect, isRootFilter, sameScope } from '../node-relations.js';
import type { AnyPipeline } from '../pipeline.js';
import { isOptionalField } from '../schema.js';
import { sensitivePaths } from '../sensitive.js';
import type { NodeSpec } from '../spec.js';

/** A node with all that is derived from the wiring, once per pipeline and process. */
export interface PlannedNode {
  readonly id: string;
  readonly spec: NodeSpec;
  readonly definition: FunctionDefinition;
  /** Expands to go down from the record to what the node is asked about: its children, for a reduce the parents it writes to. */
  readonly path: readonly string[];
  /** `childFilters[d]`: filters behind which this node stands among the children at depth d + 1; it does not see what they dropped. */
  readonly childFilters: readonly (readonly string[])[];
  readonly required: readonly string[];
  /** Resources that it uses and that allow only so many uses a second. */
  readonly limitedUses: readonly { readonly resource: string; readonly perSecond: number }[];
  /** A filter of the record, or one that such a filter needs: asked also for a dying record. */
  readonly neededByFilter: boolean;
  /** Without these nodes it cannot run, directly or not. */
  readonly needs: ReadonlySet<string>;
  /** Of the pipeline: see `sensitivePaths`. */
  readonly sensitive: readonly string[];
}
export type Plan = ReadonlyMap<string, PlannedNode>;

const plans = new WeakMap<AnyPipeline, Plan>();

export function planOf(pipeline: AnyPipeline): Plan {
  const known = plans.get(pipeline);
  if (known) return known;
  const plan = makePlan(pipeline);
  plans.set(pipeline, plan);
  return plan;
}

function makePlan(pipeline: AnyPipeline): Plan {
  const {
    wiring: { nodes },
    functions,
  } = pipeline;
  const sensitive = sensitivePaths(pipeline);
  const ancestors = ancestorsOf(nodes);
  const needs = dataNeeds(nodes);
  const filterNeeds = new Set(nodes.filter(isRootFilter).flatMap(({ id }) => [id, ...(needs.get(id) ?? [])]));
  return new Map(
    nodes.map((spec) => {
      const { id, kind, scope } = spec;
      const definition = functions.get(id) as FunctionDefinition;
      const upstream = nodes.filter((other) => other.kind === 'filter' && ancestors.get(id)?.has(other.id));
      const node: PlannedNode = {
        id,
        spec,
        definition,
        path: kind === 'reduce' ? scope.slice(0, -1) : scope,
        childFilters: scope.map((_, depth) =>
          upstream.filter((filter) => sameScope(filter.scope, scope.slice(0, depth + 1))).map((filter) => filter.id),
        ),
        required: definition.writes ? spec.writes.filter((field) => !isOptionalField(definition.writes as never, field)) : [],
        limitedUses: Object.values(definition.uses ?? {}).flatMap(({ name, limit }) =>
          limit?.perSecond === undefined ? [] : [{ resource: name, perSecond: limit.perSecond }],
        ),
        neededByFilter: filterNeeds.has(id) && !hasWriteEffect(spec),
        needs: needs.get(id) ?? new Set(),
        sensitive,
      };
      return [id, node];
    }),
  );
}

/** Transitive, over what a node reads and the scopes it lives in; that two filters or two writes keep their order is no need. */
function dataNeeds(nodes: readonly NodeSpec[]): Map<string, ReadonlySet<string>> {
  const direct = dependencies({ nodes }).filter(({ reason }) => reason === 'field' || reason === 'scope');
  const needs = new Map<string, ReadonlySet<string>>();
  for (const { id } of nodes) {
    const from = direct.filter(({ to }) => to === id).map((dependency) => dependency.from);
    needs.set(id, new Set(from.flatMap((other) => [other, ...(needs.get(other) ?? [])])));
  }
  return needs;
}
