import { InvalidKeyError } from './errors.js';

/**
 * Postgres holds every text but NUL, which rubbish in names and messages may contain: it becomes U+FFFD, in every parameter of every statement.
 * So a lookup by such a name finds nothing, and an error message is stored all the same; keys are checked before (`checkKeys`).
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value;
  return Array.isArray(value) ? value.map(storable) : value;
}

/** Inside JSON that the server takes apart, halves of surrogate pairs are refused as well. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.replace(/[\0\p{Surrogate}]/gu, '\u{fffd}') : part,
  );
}

/** A B-tree entry holds 2,704 bytes: a key of this length fits beside pipeline and scope. */
const MAX_KEY = 512;
const HALF_PAIR = /\p{Surrogate}/u;

/** Throws `InvalidKeyError` with the positions of all keys that cannot be stored as they are. */
export function checkKeys(records: readonly { readonly key: string }[]): void {
  const invalid = records.flatMap(({ key }, i) =>
    key.length > 0 && key.length <= MAX_KEY && !key.includes('\0') && !HALF_PAIR.test(key) ? [] : [i],
  );
  if (invalid.length > 0) throw new InvalidKeyError(invalid);
}
