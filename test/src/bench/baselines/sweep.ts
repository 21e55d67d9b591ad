import { median } from '../statistics.js';
import type { Cell, Conditions, Side } from './cell.js';

export interface Standing {
  readonly name: string;
  readonly batch: number;
  /** The highest rate of outcomes, records per second, that it sustained within the service level; 0: not even at the first rate. */
  readonly saturation: number;
  readonly cells: readonly Cell[];
}

const MOST_RATES = 24;
/** Below, nothing is to be learned in the time of a cell. */
const LEAST_RATE = 0.5;

type SweepConditions = Pick<Conditions, 'factor' | 'repetitions' | 'serviceLevelMs' | 'seconds' | 'warmUpSeconds'>;

/** Fewer outcomes than this share of what was offered: a queue grows. */
const SUSTAINED = 0.95;

/**
 * Every record that arrived has its outcome, p99 of all of them keeps the service level, and as many end as arrive: but for the luck of a cell, in which
 * the numbers of both differ by the root of what either is (Poisson), or two of these.
 */
export function sustains(
  { offeredRate, achievedRate, latency, unfinished }: Pick<Cell, 'offeredRate' | 'achievedRate' | 'latency' | 'unfinished'>,
  { serviceLevelMs, seconds, warmUpSeconds }: Omit<SweepConditions, 'factor' | 'repetitions'>,
): boolean {
  const measured = seconds - warmUpSeconds;
  const luck = (2 * Math.sqrt(offeredRate * measured)) / measured;
  return latency !== undefined && unfinished === 0 && latency.p99 <= serviceLevelMs && achievedRate >= SUSTAINED * offeredRate - luck;
}

/**
 * Raises the rate of every side until it is saturated, or lowers it until it is not; sides take turns at every step, in an order that alternates.
 */
export async function sweep(
  sides: readonly Side[],
  conditions: SweepConditions,
  cell: (side: Side, rate: number, repetition: number) => Promise<Cell>,
  progress: (line: string) => void,
): Promise<Standing[]> {
  const { repetitions } = conditions;
  const climbs = sides.map((side): Climb => ({ side, rate: side.firstRate, saturation: 0, cells: [], isOver: false }));
  for (let step = 0; step < MOST_RATES; step++) {
    const going = climbs.filter(({ isOver }) => !isOver);
    const taken = new Map(going.map((climb) => [climb, [] as Cell[]]));
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const climb of (step + repetition) % 2 === 0 ? going : going.toReversed())
        taken.get(climb)!.push(await cell(climb.side, rounded(climb.rate), repetition));
    for (const [climb, cells] of taken) {
      climb.cells.push(...cells);
      goOn(climb, cells, conditions);
      if (climb.isOver) progress(`${climb.side.name} is saturated at ${climb.saturation.toFixed(1)} records/s`);
    }
  }
  return climbs.map(({ side: { name, batch }, saturation, cells }) => ({ name, batch, saturation, cells }));
}

interface Climb {
  readonly side: Side;
  readonly cells: Cell[];
  rate: number;
  saturation: number;
  /** Where the first rate was too much already. */
  isFalling?: true;
  isOver: boolean;
}

/** By most of the repetitions. */
function goOn(climb: Climb, cells: readonly Cell[], conditions: SweepConditions): void {
  const { factor } = conditions;
  const isSustained = cells.filter((one) => sustains(one, conditions)).length > cells.length / 2;
  if (isSustained) climb.saturation = median(cells.map(({ achievedRate }) => achievedRate));
  else if (climb.saturation === 0) climb.isFalling = true;
  climb.isOver = isSustained === (climb.isFalling === true) || climb.rate < LEAST_RATE;
  climb.rate = climb.isFalling ? climb.rate / factor : climb.rate * factor;
}

const rounded = (rate: number): number => Number(rate.toPrecision(3));
