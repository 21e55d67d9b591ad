/** Whether these are far enough apart, with so many at either end, to tell what is fixed from what comes with every record: the large ones twice the small. */
export function areSeveralSizes(records: readonly number[], fewest: number): boolean {
  const sorted = records.toSorted((a, b) => a - b);
  const [small, large] = [sorted[fewest - 1], sorted.at(-fewest)];
  return small !== undefined && large !== undefined && large >= 2 * small;
}
