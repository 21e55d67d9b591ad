import type { Drops } from './topology.js';

/** The property of a stage in its one form: sorted, without repetitions, and absent when nothing is dropped. */
export function dropsOf(drops: Drops | undefined): { readonly drops?: Drops } {
  const fields = [...new Set(drops?.fields)].sort();
  const children = [...new Set(drops?.children)].sort();
  return fields.length + children.length === 0 ? {} : { drops: { fields, children } };
}
