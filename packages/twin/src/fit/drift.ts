import { grouped } from './grouped.js';
import { medianOf } from './line.js';
import { samplesOf, soundRows, type MeteredInvocation, type Sample } from './rows.js';

/** What was not the same in the later half of the measurements as in the earlier one. */
export interface Drift {
  /** Undefined: the records themselves. */
  readonly function?: string;
  /** Later ÷ earlier. */
  readonly ratio: number;
  readonly message: string;
}

/** A change that matters for a plan, and that chance does not explain: z of the rank test, which at 4 is less than 1 in 10,000. */
const RATIO = 1.5;
const Z = 4;
const FEWEST_PER_HALF = 20;
/** In which code is compiled and caches fill. */
const WARM_UP = 0.25;

/**
 * Functions that came to take another time for batches of about one size, and records that came to have another size: a model of all the rows is
 * then one of neither half. Mann and Whitney's rank test (1947) of the later half against the earlier one, with medians further apart than by half.
 */
export function driftOf(all: readonly MeteredInvocation[]): Drift[] {
  // What is calibrated runs by itself, at sizes of memory of its own, when somebody asks for it.
  const live = all.filter(({ calibration }) => calibration !== true);
  const rows = soundRows(live).rows.toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  const times = [...samplesOf(rows)].flatMap(([node, samples]) => {
    const ratio = greatest([...grouped(samples, ({ records }) => String(Math.round(Math.log2(records)))).values()].map(changeOfTime));
    const message = `'${node}' takes ${said(ratio)} its former time for batches of one size.`;
    return ratio === undefined ? [] : [{ function: node, ratio, message }];
  });
  return [...times, ...sizes(rows)];
}

const changeOfTime = (samples: readonly Sample[]): number | undefined =>
  changeOf(samples.map(({ cpuMs, ioMs, records }) => (cpuMs + ioMs) / records));

function greatest(ratios: readonly (number | undefined)[]): number | undefined {
  const found = ratios.filter((ratio) => ratio !== undefined);
  return found.length === 0 ? undefined : found.reduce((a, b) => (Math.abs(Math.log(b)) > Math.abs(Math.log(a)) ? b : a));
}

/** Of the records as they come in: those that the first stage of an execution was given. */
function sizes(rows: readonly MeteredInvocation[]): Drift[] {
  const firsts = [...grouped(rows, ({ executionId }) => executionId).values()].map((own) => own[0]!);
  const ratio = changeOf(firsts.map(({ bytesIn, recordsIn }) => bytesIn / recordsIn));
  return ratio === undefined ? [] : [{ ratio, message: `Records have ${said(ratio)} their former size.` }];
}

const said = (ratio: number | undefined): string => `${(ratio ?? 1).toFixed(2)} times`;

/** Later ÷ earlier; undefined where that is no change. */
function changeOf(values: readonly number[]): number | undefined {
  const warm = values.slice(Math.ceil(WARM_UP * values.length));
  const half = Math.floor(warm.length / 2);
  if (half < FEWEST_PER_HALF) return undefined;
  const [earlier, later] = [warm.slice(0, half), warm.slice(-half)];
  const ratio = medianOf(later) / medianOf(earlier);
  if (!(Math.max(ratio, 1 / ratio) >= RATIO)) return undefined;
  return Math.abs(rankZ(earlier, later)) >= Z ? ratio : undefined;
}

/** Standardised U of two samples of one size n: mean n²/2, variance n²(2n + 1)/12. Ties share their rank. */
function rankZ(earlier: readonly number[], later: readonly number[]): number {
  const n = later.length;
  const all = [...earlier.map((value) => ({ value, later: false })), ...later.map((value) => ({ value, later: true }))];
  all.sort((a, b) => a.value - b.value);
  let ranks = 0;
  for (let from = 0, to = 0; from < all.length; from = to) {
    while (to < all.length && all[to]!.value === all[from]!.value) to++;
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) if (all[i]!.later) ranks += rank;
  }
  const u = ranks - (n * (n + 1)) / 2;
  return (u - (n * n) / 2) / Math.sqrt((n * n * (2 * n + 1)) / 12);
}
