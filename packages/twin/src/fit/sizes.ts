/** Whether these are far enough apart, with so many at either end, to tell what is fixed from what comes with every record. */
export function areSeveralSizes(records: readonly number[], fewest: number): boolean {
  const [least, most] = [Math.min(...records), Math.max(...records)];
  const middle = Math.sqrt(least * most);
  const small = records.filter((n) => n <= middle).length;
  return most >= 2 * least && Math.min(small, records.length - small) >= fewest;
}
