/** What is measured of a canary. */
import { EMPTY_ARM_CELL, type ArmCell } from '@autoflow/topology';

export interface Block {
  readonly candidate: ArmCell;
  readonly control: ArmCell;
}

const NAMES = Object.keys(EMPTY_ARM_CELL) as (keyof ArmCell)[];

export function sumOf(blocks: readonly Block[], arm: keyof Block): ArmCell {
  const sum = { ...EMPTY_ARM_CELL } as { -readonly [name in keyof ArmCell]: number };
  for (const name of NAMES) for (const block of blocks) sum[name] += block[arm][name];
  return sum;
}

/** Those in which every record has its outcome: of the others it is not known who will die, and who is late is not like who is not. */
export function settled(blocks: readonly Block[]): Block[] {
  return blocks.filter(({ candidate, control }) => candidate.running + control.running === 0);
}
