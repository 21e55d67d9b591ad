import type { Bounds, Head } from '@autoflow/store';

/** A batch goes when it is full, when its first record has lingered, or when one of its records must not wait; else `at` (ms) at the latest. */
export function ripeness(head: Head, bounds: Bounds, lingerMs: number, now: number): { readonly ripe: boolean; readonly at: number } {
  if (head.records === 0) return { ripe: false, at: Infinity };
  const at = Math.min((head.oldestAt?.getTime() ?? now) + lingerMs, head.dueAt?.getTime() ?? Infinity);
  return { ripe: head.records >= bounds.records || head.bytes >= bounds.bytes || at <= now, at };
}
