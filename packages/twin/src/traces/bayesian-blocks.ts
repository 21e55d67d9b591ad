/** A stretch of time in which the rate is taken for constant. */
export interface Block {
  readonly cells: number;
  readonly count: number;
}

/** How often a steady stream may be cut in two. */
const FALSE_ALARM = 0.01;

/**
 * The piecewise constant rate that explains the counts of cells of one length best, each further piece being worth as much evidence as chance gives so
 * often: Bayesian Blocks (Scargle, Norris, Jackson and Chiang 2013, equations 19 and 21, exact by dynamic programming). It finds changes on any scale
 * above that of a cell, of one burst as of a slow wave. Takes time in proportion to the square of the cells.
 */
export function bayesianBlocks(counts: readonly number[]): Block[] {
  const cells = counts.length;
  // The paper's N are events, one in a cell: of what has many events in few cells, or few in many, it is whichever are more.
  const events = counts.reduce((sum, count) => sum + count, 0);
  const perBlock = 4 - Math.log(73.53 * FALSE_ALARM * Math.max(cells, events) ** -0.478);
  /** Of the cells up to each: the best fitness, and where the last block of it begins. */
  const best = new Float64Array(cells);
  const begins = new Int32Array(cells);
  for (let last = 0; last < cells; last++) {
    best[last] = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (let first = last; first >= 0; first--) {
      count += counts[first]!;
      const likelihood = count === 0 ? 0 : count * Math.log(count / (last - first + 1));
      const fitness = likelihood - perBlock + (first === 0 ? 0 : best[first - 1]!);
      if (fitness > best[last]!) [best[last], begins[last]] = [fitness, first];
    }
  }
  const blocks: Block[] = [];
  for (let end = cells; end > 0; end = begins[end - 1]!) {
    const first = begins[end - 1]!;
    blocks.push({ cells: end - first, count: counts.slice(first, end).reduce((sum, count) => sum + count, 0) });
  }
  return blocks.reverse();
}
