/**
 * Where the records of a batch are between stages. Every record of a batch passes every stage (filtered ones as such), and records
 * keep their index; so a file can be known by the range of indexes it covers, and a part of a stage needs only the files that
 * overlap its own range.
 */
import type { Topology } from '@autoflow/topology';
import type { BatchRef } from '@autoflow/topology/execution';

/** A file, and the indexes `from <= index < to` of the part whose records it holds (all of them, or those that were retried). */
export interface Piece {
  readonly ref: BatchRef;
  readonly from: number;
  readonly to: number;
}
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The input of one part: files and the slice of their merged, index-ordered records. */
export interface PartInput {
  readonly inputs: readonly BatchRef[];
  readonly slice?: Range | undefined;
  readonly records: number;
}

/** Nothing is live or dying any more in one of the stages before: whatever the others hold, every record is filtered. */
export function nothingLeft(groups: readonly (readonly Piece[])[]): boolean {
  return groups.some((pieces) => pieces.every(({ ref }) => ref.counts.live + ref.counts.dying === 0));
}

/** As many parts as the topology says, and as keep each within the batch's bytes; never more than records. */
export function partsNeeded(pieces: readonly Piece[], records: number, partitions: number, batch: Topology['batch']): number {
  const bytes = pieces.reduce((sum, { ref }) => sum + ref.bytes, 0);
  return Math.min(records, Math.max(partitions, Math.ceil(bytes / batch.bytes)));
}

/** Parts differ by at most one record. */
export function rangeOf(part: number, of: number, records: number): Range {
  return { from: Math.floor((part * records) / of), to: Math.floor(((part + 1) * records) / of) };
}

/**
 * The files that hold the records of `range`, and where these lie in what the files hold together. What the files cover together is
 * without gaps: the files of each stage cover the batch, so those that overlap a range are neighbours.
 */
export function inputOf(pieces: readonly Piece[], range: Range): PartInput {
  const needed = pieces.filter((piece) => piece.from < range.to && range.from < piece.to);
  const base = Math.min(...needed.map((piece) => piece.from));
  const end = Math.max(...needed.map((piece) => piece.to));
  const whole = base === range.from && end === range.to;
  return {
    inputs: needed.map((piece) => piece.ref),
    ...(whole ? {} : { slice: { from: range.from - base, to: range.to - base } }),
    records: range.to - range.from,
  };
}

/** Each file once, in order: a skipped stage passes on the files of the stages before it. */
export function distinct(pieces: readonly Piece[]): Piece[] {
  const seen = new Set<string>();
  return pieces.filter(({ ref }) => !seen.has(ref.ref) && seen.add(ref.ref));
}
