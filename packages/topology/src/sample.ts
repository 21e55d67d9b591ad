/**
 * 0 to 1: where a key stands in samples by key. The same on every machine and at every stage, so that whoever takes the keys below a share
 * takes the same records as all others. Cheap (FNV-1a, then mixed), and not the hash by which records get their arm.
 */
export function samplePosition(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
