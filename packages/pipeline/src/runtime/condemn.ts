import type { Death, RecordState } from '../record-state.js';

/**
 * The records die without being run, because their process did. Filters that depend on none of `nodes` (those of the invocation) are
 * still asked. A record that was filtered stays so; one that was dying keeps its first death.
 */
export function condemn(records: readonly RecordState[], death: Death, nodes: readonly string[]): RecordState[] {
  return records.map((record) => {
    if (record.filtered) return record;
    const { retry: _, ...rest } = record;
    return { ...rest, death: record.death ?? death, failed: [...new Set([...(record.failed ?? []), ...nodes])] };
  });
}
