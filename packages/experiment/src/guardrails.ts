/** What a candidate must not make worse, each with a state of its own. */
import { SLOW, SLOWS, type ArmCell, type Slow } from '@autoflow/topology';
import { evidenceAgainst, shareInterval } from './binomial.js';
import { settled, sumOf, type Block } from './block.js';
import type { Interval } from './confidence-sequence.js';
import { blocksOfEach, difference, logRatio, type Pair, type Total } from './contrast.js';

export type GuardrailName = 'dead' | 'errors' | 'filtered' | 'p95' | 'p99' | 'cost';

/** `holds`: shown to be within the margin. `breached`: shown to be worse. `open`: neither yet. */
export interface Guardrail extends Interval {
  readonly name: GuardrailName;
  readonly state: 'holds' | 'open' | 'breached';
  /**
   * Of `dead` and `errors`: share of records, candidate - control, at most the margin. Of `filtered`: the same, and none is allowed. Of `p95` and
   * `p99`: by how much more records of the candidate exceed (1 + margin) times the control's quantile than records of the control exceed that
   * quantile: at most 0. Of `cost`: ratio - 1.
   */
  readonly margin: number;
}

type Tail = 'p95' | 'p99';
/** Share of records beyond a quantile. */
export const BEYOND: { readonly [name in Tail]: number } = { p95: 0.05, p99: 0.01 };
const OWN = { p95: 'slow95', p99: 'slow99' } as const satisfies { readonly [name in Tail]: Slow };
/** Below so many records beyond it, a quantile of the control is hearsay. */
const TAIL_RECORDS = 10;

/**
 * Of rare things. Worse it is only where two tests agree: the exact one of single records, which few suffice, and that of blocks of time, which is
 * not taken in by records that die or are repeated together because they were in one batch.
 */
export function rare(name: 'dead' | 'errors', blocks: readonly Block[], margin: number, alpha: number): Guardrail {
  const { unlike: _unlike, ...interval } = compared(name, settled(blocks), alpha);
  // Who is not dead yet may die: that it is worse is plain from those who are.
  const { estimate, unlike } = compared(name, blocks, alpha);
  const apart = difference(
    pairs(blocks, (cell) => ({ sum: cell[name], count: cell.records })),
    { alpha },
  );
  const worse = estimate > margin && unlike && apart !== undefined && apart.low > 0;
  return {
    name,
    ...(worse ? { ...interval, estimate } : interval),
    margin,
    state: worse ? 'breached' : interval.high <= margin ? 'holds' : 'open',
  };
}

/** Both arms see the same records: where other ones are filtered, outputs are not identical. It holds until the contrary is shown. */
export function filtered(blocks: readonly Block[], alpha: number): Guardrail {
  const { unlike, ...interval } = compared('filtered', settled(blocks), alpha);
  return { name: 'filtered', ...interval, margin: 0, state: unlike ? 'breached' : 'holds' };
}

/**
 * The confidence sequence of the difference of the shares; and whether the events fall on the arms in another ratio than their records do: given how
 * many there are, each is the candidate's with the share that it has of the records.
 */
function compared(name: 'dead' | 'errors' | 'filtered', blocks: readonly Block[], alpha: number): Interval & { readonly unlike: boolean } {
  const [candidate, control] = [sumOf(blocks, 'candidate'), sumOf(blocks, 'control')];
  const [ours, theirs] = [candidate[name], control[name]];
  const [a, b] = [shareInterval(ours, candidate.records, alpha / 2), shareInterval(theirs, control.records, alpha / 2)];
  const estimate = ours / Math.max(1, candidate.records) - theirs / Math.max(1, control.records);
  const share = candidate.records / (candidate.records + control.records);
  const unlike = share > 0 && share < 1 && evidenceAgainst(share, ours, ours + theirs) >= -Math.log(alpha);
  return { estimate, low: a.low - b.high, high: a.high - b.low, unlike };
}

/**
 * Shown of the shares of records beyond a limit, as a difference of means, at every look at once: an estimate that is within the margin now and then
 * shows nothing. The limit is the control's quantile as it was measured so far; where that is wrong both shares are off, alike as far as both tails
 * fall alike. A candidate that is far better is told by fewer records (`isFarBetter`): either way may err with half of alpha. Simulated candidates that
 * are slower by just the margin hold no more often than alpha allows (`guardrails.test.ts`). It takes some 140 batches of the candidate where none of
 * them is beyond what three to ten times as many of the control's records exceed, some thousand records where its p95 is half of the control's, fifty
 * thousand where it is the same; of a p99 five times as many, and as many.
 */
export function tail(name: Tail, blocks: readonly Block[], margin: number, alpha: number, minimumBlocks: number): Guardrail {
  const slow = OWN[name];
  const seen = sumOf(blocks, 'control')[slow] >= TAIL_RECORDS;
  const found = pairs(blocks, (cell) => ({ sum: cell[slow], count: cell.records }));
  const enough = seen && blocksOfEach(found) >= minimumBlocks;
  const interval = enough ? difference(found, { alpha }) : undefined;
  if (interval === undefined) return { name, ...UNKNOWN, margin, state: 'open' };
  if (interval.low > 0) return { name, ...interval, margin, state: 'breached' };
  const holds = difference(found, { alpha: alpha / 2 })!.high <= 0 || isFarBetter(name, blocks, alpha / 2);
  return { name, ...interval, margin, state: holds ? 'holds' : 'open' };
}

/**
 * With a limit that lies below the control's quantile: more than a twentieth (a hundredth) of its records are beyond it, so the quantile is; and no more
 * of the candidate's are beyond it and the margin, so the candidate's is not. How late the control's late records are does not matter, which come in
 * bursts. Each side is shown twice: of blocks of time, and of single batches, whose records share their latency, as none beyond the limit has no variance
 * to go by. Of blocks each limit has a third of alpha, one side of whose interval counts for either arm. Of batches either arm has half of alpha, and more
 * limits cost none of it: what is wrong of a lower one is wrong of the quantile itself, too. It takes batches that are alike in size, and nothing is known
 * of a stretch in which all of them are late and that has not come yet.
 */
function isFarBetter(name: Tail, blocks: readonly Block[], alpha: number): boolean {
  const beyond = BEYOND[name];
  const [candidate, control] = [sumOf(blocks, 'candidate'), sumOf(blocks, 'control')];
  return SLOWS.some((slow) => {
    if (SLOW[slow].guardrail !== name || slow === OWN[name]) return false;
    if (shareBeyond(slow, blocks, 'control', control, alpha).low < beyond) return false;
    return shareBeyond(slow, blocks, 'candidate', candidate, alpha, beyond / 3).high <= beyond;
  });
}

/** Of the records of an arm, which are `all` together; shortest near the share that is expected. */
function shareBeyond(slow: Slow, blocks: readonly Block[], arm: keyof Block, all: ArmCell, alpha: number, expected = 0.5): Interval {
  const { records, charged, executions, [slow]: beyond } = all;
  const batches = Math.floor((records * executions) / Math.max(1, charged));
  const late = (beyond * batches) / Math.max(1, records);
  const ofBatches = (count: number) => shareInterval(count, batches, alpha / 2, 0.5 / expected - 0.5);
  const alone = pairs(blocks, (cell) => ({ sum: cell[slow], count: cell.records })).map(({ [arm]: own }) => ({
    candidate: own,
    control: { ...own, sum: 0 },
  }));
  const { estimate, low, high } = difference(alone, { alpha: alpha / 3 }) ?? UNKNOWN;
  return { estimate, low: Math.min(ofBatches(Math.floor(late)).low, low), high: Math.max(ofBatches(Math.ceil(late)).high, high) };
}

export function cost(blocks: readonly Block[], margin: number, alpha: number, minimumBlocks: number): Guardrail {
  const found = meanRatio(pairs(blocks, costOf), alpha, minimumBlocks);
  if (found === undefined) return { name: 'cost', ...UNKNOWN, margin, state: 'open' };
  const interval = { estimate: Math.expm1(found.estimate), low: Math.expm1(found.low), high: Math.expm1(found.high) };
  return { name: 'cost', ...interval, margin, state: interval.low > margin ? 'breached' : interval.high <= margin ? 'holds' : 'open' };
}

/** Of both arms, not before each had something in enough blocks: what an arm had in a few says little of how much it varies. */
export function meanRatio(observed: readonly Pair[], alpha: number, minimumBlocks: number): Interval | undefined {
  return blocksOfEach(observed) >= minimumBlocks ? logRatio(observed, { alpha }) : undefined;
}

export const costOf = ({ costUsd, charged }: ArmCell): Total => ({ sum: costUsd, count: charged });
export const latencyOf = ({ latencyMs, records }: ArmCell): Total => ({ sum: latencyMs, count: records });

/** Blocks in which neither arm had anything say nothing. */
export function pairs(blocks: readonly Block[], of: (cell: ArmCell) => Total): Pair[] {
  return blocks
    .map(({ candidate, control }) => ({ candidate: of(candidate), control: of(control) }))
    .filter(({ candidate, control }) => candidate.count + control.count > 0);
}

const UNKNOWN: Interval = { estimate: 0, low: -Infinity, high: Infinity };
