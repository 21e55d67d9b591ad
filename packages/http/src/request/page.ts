/** One page of a list; a full one has a `next`, even if nothing follows. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): { items: Item[]; next?: string } {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return { items: rows.map(present), ...(last !== undefined && { next: cursorOf(last) }) };
}
