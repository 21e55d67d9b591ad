/**
 * What every later claim is measured against (evaluation.md): the example as written with one record per execution, the same in fixed
 * batches, and a hand-written Temporal workflow, each under open-loop load at rising rates up to its saturation. Sides take turns at every
 * rate. The load, the door and the pools are the same for all.
 */
import { CellBook } from './cells/cell-book.js';
import { lineOf, runCell, type Cell, type Conditions, type Side } from './baselines/cell.js';
import { fixedBatchLingerMs, inBatchesOf } from './cells/fixed-batches.js';
import { invoices } from './cells/invoices.js';
import { startRetailStack } from './cells/retail-stack.js';
import { sweep, type Standing } from './baselines/sweep.js';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';
import { HAND_WRITTEN_QUEUE } from './worker-process.js';

export { render } from './baselines/render.js';

/** Fixed before measuring: the service level of the example. */
export const SERVICE_LEVEL_MS = 2_000;

const FULL: Conditions = {
  repetitions: 5,
  seconds: 60,
  warmUpSeconds: 10,
  factor: 1.3,
  drainSeconds: 120,
  serviceLevelMs: SERVICE_LEVEL_MS,
};
const QUICK: Conditions = { ...FULL, repetitions: 2, seconds: 25, warmUpSeconds: 5, factor: 1.7, drainSeconds: 60 };
const BATCH_SIZES = { full: [10, 30, 100, 300], quick: [20, 100] } as const;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const conditions = quick ? QUICK : FULL;
  const sizes = quick ? BATCH_SIZES.quick : BATCH_SIZES.full;
  const stack = await startRetailStack({ onFile: true });
  const { platform } = stack;
  try {
    await platform.startWorker({ handWritten: true });
    const load = await invoices(platform.spec);
    progress(`load: ${load.about}`);
    const written = platform.asWritten;
    const asWritten: Side = { name: 'as written', version: written, batch: 1, lingerMs: 0, firstRate: 2 };
    const handWritten: Side = { ...asWritten, name: 'hand-written', door: { type: 'handWritten', taskQueue: HAND_WRITTEN_QUEUE } };
    const batched = await Promise.all(
      sizes.map(async (records): Promise<Side> => {
        const version = await platform.version(inBatchesOf(records, written.topology));
        return { name: `batches of ${records}`, version, batch: records, lingerMs: fixedBatchLingerMs(records), firstRate: 10 };
      }),
    );
    const book = await CellBook.open<Cell>(
      `baselines${quick ? '.quick' : ''}`,
      { conditions, sizes, load: load.about, release: platform.release.hash },
      lineOf,
    );
    if (book.size > 0) progress(`${book.size} cells of an earlier run are taken over from ${book.path}`);
    const cell = (side: Side, rate: number, repetition: number): Promise<Cell> =>
      book.take(
        `${side.name} @ ${rate} #${repetition}`,
        () => runCell({ platform, side, rate, repetition, conditions, records: load.next }),
        progress,
      );

    progress('warm-up: every instance started');
    for (const side of [asWritten, handWritten, ...batched]) await runCell({ platform, side, rate: side.firstRate, repetition: -1, conditions: { ...conditions, seconds: 5, warmUpSeconds: 0 }, records: load.next }); // prettier-ignore

    const standings = await sweep([asWritten, handWritten, ...batched], conditions, cell, progress);
    const of = (side: Side): Standing => standings.find(({ name }) => name === side.name)!;
    const best = batched.reduce((a, b) => (of(b).saturation > of(a).saturation ? b : a));

    // Latency, cost and utilisation are compared where the slowest side is comfortable: at 70 % of the first baseline's saturation.
    const common = of(asWritten).saturation * 0.7;
    const compared: Cell[] = [];
    if (common > 0)
      for (let repetition = 0; repetition < conditions.repetitions; repetition++)
        for (const side of repetition % 2 === 0 ? [asWritten, handWritten, best] : [best, handWritten, asWritten])
          compared.push(await book.take(`${side.name} at the common load #${repetition}`, () => runCell({ platform, side, rate: common, repetition, conditions, records: load.next }), progress)); // prettier-ignore

    const cells = [...standings.flatMap((standing) => standing.cells), ...compared];
    await book.close();
    return {
      bars: [
        { name: 'saturated records/s, as written ÷ hand-written', figure: ratio(of(asWritten).saturation, of(handWritten).saturation), unit: '×', bar: 0.85, must: '>=' },
        { name: `saturated records/s, best fixed batch (${best.batch}) ÷ as written`, figure: ratio(of(best).saturation, of(asWritten).saturation), unit: '×', bar: 1, must: '>=' },
        { name: 'records without an outcome, at the common load', figure: compared.reduce((sum, { unfinished }) => sum + unfinished, 0), unit: 'records', bar: 0, must: '<=' },
        { name: "generator's lateness, p99 of the median cell", figure: median(cells.map(({ lateness }) => lateness?.p99 ?? 0)), unit: 'ms', bar: 100, must: '<=' },
      ], // prettier-ignore
      figures: { conditions, load: load.about, bestBatch: best.batch, commonRate: common, standings, compared },
      notMeasured: [
        'inbox and feeder: every side comes through the same direct door (batch committed, execution started by the generator)',
        'hard limits of memory and CPU, where the machine does not let them be set (see enforcement in the measurements)',
        'several hosts; a Temporal server with Postgres persistence; a network between the parts',
        'the generator on a machine of its own: it shares these cores, and so do all servers',
        'hand-written: its pools, batches and settlement are those of the platform; it differs in the workflow alone',
        ...(quick ? ['repetitions: two short cells per rate'] : []),
      ],
    };
  } finally {
    await stack.stop();
  }
}

const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);
