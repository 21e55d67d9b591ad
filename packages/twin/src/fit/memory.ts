import type { HostModel } from '../model/host-model.js';
import { grouped } from './grouped.js';
import { robustLine } from './line.js';
import type { MeteredInvocation } from './rows.js';

/** What one function adds to an instance and to a record. */
export interface StageMemory {
  readonly memoryMb: number;
  readonly memoryPerRecordMb: number;
  readonly bytes: number;
}

/**
 * By function. Memory and bytes are known of whole stages only: the functions of a fused stage share what is beyond the bare instance
 * evenly, which keeps the sum right. A function that ran in several stages has the mean.
 */
export function stageMemory(rows: readonly MeteredInvocation[], host: HostModel): Map<string, StageMemory> {
  const found = new Map<string, StageMemory[]>();
  for (const [, stage] of grouped(rows, nodesOf)) {
    const nodes = stage[0]?.spans.map(({ node }) => node) ?? [];
    if (nodes.length === 0) continue;
    const line = robustLine(
      stage.map(({ recordsIn }) => recordsIn),
      stage.map(({ peakMemoryMb }) => peakMemoryMb),
    );
    const single = new Set(stage.map(({ recordsIn }) => recordsIn)).size === 1;
    // With one batch size a line has no intercept: then all is of the instance.
    const base = single ? line.slope * stage[0]!.recordsIn : line.intercept;
    const sum = (of: (row: MeteredInvocation) => number): number => stage.reduce((total, row) => total + of(row), 0);
    const grown = (sum(({ bytesOut }) => bytesOut) - sum(({ bytesIn }) => bytesIn)) / sum(({ recordsIn }) => recordsIn);
    const own: StageMemory = {
      memoryMb: Math.max(0, base - host.instanceMb) / nodes.length,
      memoryPerRecordMb: single ? 0 : line.slope / nodes.length,
      bytes: Math.max(0, grown) / nodes.length,
    };
    for (const node of nodes) found.set(node, [...(found.get(node) ?? []), own]);
  }
  return new Map([...found].map(([node, list]) => [node, mean(list)]));
}

/** Not by the stage's name: a function of it may have been another in another release. */
const nodesOf = ({ spans }: MeteredInvocation): string => spans.map(({ node }) => node).join('+');

function mean(list: readonly StageMemory[]): StageMemory {
  const of = (value: (one: StageMemory) => number): number => list.reduce((sum, one) => sum + value(one), 0) / list.length;
  return { memoryMb: of((one) => one.memoryMb), memoryPerRecordMb: of((one) => one.memoryPerRecordMb), bytes: of((one) => one.bytes) };
}
