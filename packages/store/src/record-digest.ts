import { createHash } from 'node:crypto';
import { canonicalJson } from '@autoflow/topology';

/** SHA-256 (hex) of the canonical JSON: equal for equal records, whatever the order of their properties. Throws `NotJsonError`. */
export function recordDigest(record: unknown): string {
  return digestOf(record).digest;
}

/** The digest, and how many bytes the record has as JSON: that does not depend on the order of its properties either. */
export function digestOf(record: unknown): { readonly digest: string; readonly bytes: number } {
  const text = canonicalJson(record);
  return { digest: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
}

/** 0 to 9,999: of a key always the same, on every machine, so that a key stays in its arm. */
export function bucketOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) % 10_000;
}
