import type { NodeSpec } from './spec.js';

/** Ids of all calls that a call's records have passed, by the wiring as written. */
export function ancestorsOf(nodes: readonly NodeSpec[]): Map<string, ReadonlySet<string>> {
  const ancestors = new Map<string, ReadonlySet<string>>();
  for (const { id, inputs } of nodes) ancestors.set(id, new Set(inputs.flatMap((input) => [input, ...(ancestors.get(input) ?? [])])));
  return ancestors;
}

/** The scope into which a call writes. */
export function writtenIn({ kind, scope, id }: NodeSpec): readonly string[] {
  return kind === 'expand' ? [...scope, id] : kind === 'reduce' ? scope.slice(0, -1) : scope;
}

export function hasWriteEffect({ effect }: NodeSpec): boolean {
  return effect === 'idempotent-write' || effect === 'write';
}

export function isRootFilter({ kind, scope }: NodeSpec): boolean {
  return kind === 'filter' && scope.length === 0;
}

export function sameScope(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
