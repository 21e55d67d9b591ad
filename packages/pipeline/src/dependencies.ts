import { ancestorsOf, hasWriteEffect, isRootFilter, sameScope, writtenIn } from './node-relations.js';
import type { NodeSpec, PipelineSpec } from './spec.js';

/**
 * `to` must run after `from`, for one reason:
 * - `field`: `to` reads what `from` writes (`field` names it);
 * - `scope`: `from` opens the scope in which `to` runs, or drops children that `to` must not see;
 * - `filter`: `from` is a filter of the record and `to` writes, or is a later filter (so the first reason is always the same);
 * - `upstream`: `to` writes and was called on a record that had passed `from`, which may refuse it (so nothing refused is in a sink);
 * - `write`: both write, and keep their written order;
 * - `resource`: both use one resource (`resource` names it) and one of them writes.
 */
export interface Dependency {
  readonly from: string;
  readonly to: string;
  readonly reason: 'field' | 'scope' | 'filter' | 'upstream' | 'write' | 'resource';
  readonly field?: string;
  readonly resource?: string;
}

/**
 * All that orders the nodes of a pipeline; everything else is free. Listed by `to` in written order, then by `from`; a pair appears once
 * per reason. `from` always comes before `to` as written, so the relation has no cycle.
 */
export function dependencies({ nodes }: Pick<PipelineSpec, 'nodes'>): Dependency[] {
  const ancestors = ancestorsOf(nodes);
  return nodes.flatMap((to, i) => nodes.slice(0, i).flatMap((from) => between(from, to, ancestors.get(to.id)?.has(from.id) ?? false)));
}

function between(from: NodeSpec, to: NodeSpec, upstream: boolean): Dependency[] {
  const pair = { from: from.id, to: to.id };
  const found: Dependency[] = [];
  if (upstream && sameScope(writtenIn(from), to.scope))
    for (const field of from.writes) if (to.reads.includes(field)) found.push({ ...pair, reason: 'field', field });
  if (opens(from, to) || (upstream && dropsChildrenOf(from, to))) found.push({ ...pair, reason: 'scope' });
  if (isRootFilter(from) && (hasWriteEffect(to) || isRootFilter(to))) found.push({ ...pair, reason: 'filter' });
  if (upstream && hasWriteEffect(to)) found.push({ ...pair, reason: 'upstream' });
  if (hasWriteEffect(from) && hasWriteEffect(to)) found.push({ ...pair, reason: 'write' });
  if (hasWriteEffect(from) || hasWriteEffect(to))
    for (const resource of from.uses) if (to.uses.includes(resource)) found.push({ ...pair, reason: 'resource', resource });
  return found;
}

function opens({ kind, id }: NodeSpec, { scope }: NodeSpec): boolean {
  return kind === 'expand' && scope.includes(id);
}

function dropsChildrenOf({ kind, scope }: NodeSpec, to: NodeSpec): boolean {
  return kind === 'filter' && scope.length > 0 && sameScope(scope, to.scope);
}
