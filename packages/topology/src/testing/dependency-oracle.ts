import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';

/** A pair of calls of which the second must run after the first. */
export interface OracleDependency {
  readonly from: string;
  readonly to: string;
  readonly reason: 'field' | 'scope' | 'filter' | 'upstream' | 'write' | 'resource';
  readonly field?: string;
  readonly resource?: string;
}

/** What depends on what, straight from the definition and by trying all pairs: a second opinion for tests. */
export function dependencyOracle(spec: PipelineSpec): OracleDependency[] {
  const above = ancestorsAsWritten(spec);
  const resources = spec.resources.map((resource) => resource.name);
  return spec.nodes.flatMap((to, i) =>
    spec.nodes.slice(0, i).flatMap((from): OracleDependency[] => {
      const pair = { from: from.id, to: to.id };
      const upstream = above.get(to.id)?.has(from.id) ?? false;
      const fields = upstream && same(writtenIn(from), to.scope) ? from.writes.filter((field) => to.reads.includes(field)) : [];
      const opens = from.kind === 'expand' && to.scope.includes(from.id);
      const dropsChildren = from.kind === 'filter' && from.scope.length > 0 && upstream && same(from.scope, to.scope);
      const rootFilter = from.kind === 'filter' && from.scope.length === 0;
      return [
        ...fields.map((field) => ({ ...pair, reason: 'field' as const, field })),
        ...(opens || dropsChildren ? [{ ...pair, reason: 'scope' as const }] : []),
        ...(rootFilter && (writes(to) || (to.kind === 'filter' && to.scope.length === 0)) ? [{ ...pair, reason: 'filter' as const }] : []),
        ...(upstream && writes(to) ? [{ ...pair, reason: 'upstream' as const }] : []),
        ...(writes(from) && writes(to) ? [{ ...pair, reason: 'write' as const }] : []),
        ...resources
          .filter((name) => from.uses.includes(name) && to.uses.includes(name) && (writes(from) || writes(to)))
          .map((resource) => ({ ...pair, reason: 'resource' as const, resource })),
      ];
    }),
  );
}

function ancestorsAsWritten(spec: PipelineSpec): Map<string, Set<string>> {
  const above = new Map<string, Set<string>>();
  for (const { id, inputs } of spec.nodes) above.set(id, new Set(inputs.flatMap((input) => [input, ...(above.get(input) ?? [])])));
  return above;
}

function writtenIn({ kind, scope, id }: NodeSpec): readonly string[] {
  return kind === 'expand' ? [...scope, id] : kind === 'reduce' ? scope.slice(0, -1) : scope;
}

function writes({ effect }: NodeSpec): boolean {
  return effect === 'idempotent-write' || effect === 'write';
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
