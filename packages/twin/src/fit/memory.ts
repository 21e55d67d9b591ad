import type { HostModel } from '../model/host-model.js';
import { grouped } from './grouped.js';
import { robustLine } from './line.js';
import type { MeteredInvocation } from './rows.js';
import { areSeveralSizes } from './sizes.js';

/** What one function adds to an instance and to a record. */
export interface StageMemory {
  readonly memoryMb: number;
  readonly memoryPerRecordMb: number;
  readonly bytes: number;
  /** False: none of its stages ran with several batch sizes, so all is taken as the instance's, and holds for no larger batch. */
  readonly tellsRecords: boolean;
}

interface Part extends StageMemory {
  readonly rows: number;
}

/**
 * By function. Memory and bytes are known of whole stages only: the functions of a fused stage share what is beyond the bare instance
 * evenly, which keeps the sum right. A function that ran in several stages has the mean by rows, of memory over those that ran with several batch sizes.
 */
export function stageMemory(rows: readonly MeteredInvocation[], host: HostModel): Map<string, StageMemory> {
  const found = new Map<string, Part[]>();
  for (const [, stage] of grouped(rows, nodesOf)) {
    const nodes = stage[0]?.spans.map(({ node }) => node) ?? [];
    if (nodes.length === 0) continue;
    const records = stage.map(({ recordsIn }) => recordsIn);
    // A peak varies far less than a time does.
    const tellsRecords = areSeveralSizes(records, 1);
    const peaks = stage.map(({ peakMemoryMb }) => peakMemoryMb);
    const line = tellsRecords ? robustLine(records, peaks) : { intercept: Math.max(...peaks), slope: 0 };
    const sum = (of: (row: MeteredInvocation) => number): number => stage.reduce((total, row) => total + of(row), 0);
    const grown = (sum(({ bytesOut }) => bytesOut) - sum(({ bytesIn }) => bytesIn)) / sum(({ recordsIn }) => recordsIn);
    const own: Part = {
      memoryMb: Math.max(0, line.intercept - host.instanceMb) / nodes.length,
      memoryPerRecordMb: line.slope / nodes.length,
      bytes: Math.max(0, grown) / nodes.length,
      tellsRecords,
      rows: stage.length,
    };
    for (const node of nodes) found.set(node, [...(found.get(node) ?? []), own]);
  }
  return new Map([...found].map(([node, parts]) => [node, together(parts)]));
}

/** Not by the stage's name: a function of it may have been another in another release. */
const nodesOf = ({ spans }: MeteredInvocation): string => spans.map(({ node }) => node).join('+');

function together(parts: readonly Part[]): StageMemory {
  const telling = parts.filter(({ tellsRecords }) => tellsRecords);
  const bytes = mean(parts, (one) => one.bytes);
  if (telling.length === 0)
    return { memoryMb: Math.max(...parts.map(({ memoryMb }) => memoryMb)), memoryPerRecordMb: 0, bytes, tellsRecords: false };
  const memoryMb = mean(telling, (one) => one.memoryMb);
  return { memoryMb, memoryPerRecordMb: mean(telling, (one) => one.memoryPerRecordMb), bytes, tellsRecords: true };
}

function mean(parts: readonly Part[], of: (one: Part) => number): number {
  const rows = parts.reduce((sum, one) => sum + one.rows, 0);
  return parts.reduce((sum, one) => sum + one.rows * of(one), 0) / rows;
}
