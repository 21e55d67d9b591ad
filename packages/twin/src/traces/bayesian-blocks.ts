/** A stretch of time in which the rate is taken for constant. */
export interface Block {
  readonly durationMs: number;
  readonly count: number;
}

/** How often a steady stream is cut in two. */
const FALSE_ALARM = 0.01;

/** What came at one moment is taken to have come within so much of it. */
const AT_ONCE_MS = 1;

/**
 * The piecewise constant rate that explains the moments best (milliseconds, ascending), each further piece being worth as much evidence as chance gives
 * once in a hundred streams: Bayesian Blocks of event data (Scargle, Norris, Jackson and Chiang 2013, equations 19 and 21, exact by dynamic
 * programming). It finds changes on any scale, of one burst as of a slow wave. Takes time in proportion to the square of the moments.
 */
export function bayesianBlocks(moments: ArrayLike<number>): Block[] {
  const edges = edgesOf(moments);
  const cells = edges.length - 1;
  const perBlock = 4 - Math.log(73.53 * FALSE_ALARM * cells ** -0.478);
  /** Of the cells up to each: the best fitness, and where the last block of it begins. */
  const best = new Float64Array(Math.max(0, cells));
  const begins = new Int32Array(Math.max(0, cells));
  for (let last = 0; last < cells; last++) {
    best[last] = Number.NEGATIVE_INFINITY;
    for (let first = last; first >= 0; first--) {
      const count = last - first + 1;
      const fitness = count * Math.log(count / (edges[last + 1]! - edges[first]!)) - perBlock + (first === 0 ? 0 : best[first - 1]!);
      if (fitness > best[last]!) [best[last], begins[last]] = [fitness, first];
    }
  }
  const blocks: Block[] = [];
  for (let end = cells; end > 0; end = begins[end - 1]!) {
    const first = begins[end - 1]!;
    blocks.push({ durationMs: edges[end]! - edges[first]!, count: end - first });
  }
  return blocks.reverse();
}

/** Of a cell for each moment, from the middle of the time before it to the middle of that after it. None where all are one. */
function edgesOf(moments: ArrayLike<number>): number[] {
  if (!(moments[moments.length - 1]! > moments[0]!)) return [];
  const apart = spread(moments);
  return [apart[0]!, ...apart.slice(1).map((moment, i) => (apart[i]! + moment) / 2), apart.at(-1)!];
}

/** No two at the same moment. */
function spread(moments: ArrayLike<number>): number[] {
  const apart: number[] = [];
  for (let from = 0, to = 0; from < moments.length; from = to) {
    while (to < moments.length && moments[to] === moments[from]) to++;
    const within = Math.min(AT_ONCE_MS, (moments[to] ?? Number.POSITIVE_INFINITY) - moments[from]!);
    for (let i = from; i < to; i++) apart.push(moments[from]! + (within * (i - from)) / (to - from));
  }
  return apart;
}
