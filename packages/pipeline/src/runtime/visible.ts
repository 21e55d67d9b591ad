import type { Fields, Json } from '../json.js';
import { deepFreeze } from './json-values.js';
import type { Bag } from './work.js';

/** What a handler sees of a bag: the declared fields that are there, frozen to their depth. */
export function visible(reads: readonly string[], { fields }: Bag): Fields {
  const seen: { [field: string]: Json } = {};
  for (const field of reads) {
    const value = fields[field];
    if (value !== undefined) seen[field] = deepFreeze(value);
  }
  return Object.freeze(seen);
}
