/** What a bare Node process needs beside its heap. */
const BESIDE_HEAP_MB = 40;

/**
 * Flags of Node for a process of so many MB: the collector works harder before the limit kills, and a heap that is too small
 * aborts with V8's own message. The limit itself holds by other means: buffers live outside the heap.
 */
export function memoryFlags(memoryMb: number): string[] {
  return [`--max-old-space-size=${Math.max(48, memoryMb - BESIDE_HEAP_MB)}`, `--max-semi-space-size=${memoryMb <= 256 ? 4 : 16}`];
}
