import type { Bounds, Head } from '@autoflow/store';

/** How long a batch may still wait for others (ms): not at all when it is full, when its first record has lingered, or when one must not wait. */
export function mayWaitMs(head: Head, bounds: Bounds, lingerMs: number): number {
  if (head.records === 0) return Infinity;
  if (head.records >= bounds.records || head.bytes >= bounds.bytes) return 0;
  return Math.max(0, Math.min(lingerMs - (head.oldestMs ?? 0), head.dueInMs ?? Infinity));
}
