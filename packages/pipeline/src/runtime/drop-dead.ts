import type { RecordState } from '../record-state.js';

/** What a stage's records lose when they leave it: fields of the record, and the children of expands. */
export interface Dropped {
  readonly fields: readonly string[];
  readonly children: readonly string[];
}

/** The same records without what nothing behind the stage needs. */
export function dropDead(records: readonly RecordState[], { fields, children }: Dropped): RecordState[] {
  const [lost, families] = [new Set(fields), new Set(children)];
  return records.map((record) => {
    const { children: all, ...rest } = record;
    const left = Object.entries(all ?? {}).filter(([expand]) => !families.has(expand));
    return {
      ...rest,
      fields: Object.fromEntries(Object.entries(record.fields).filter(([field]) => !lost.has(field))),
      ...(left.length > 0 && { children: Object.fromEntries(left) }),
    };
  });
}
