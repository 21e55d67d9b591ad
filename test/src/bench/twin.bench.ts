/**
 * The twin against the real stack: fitted to a few versions of the example, then asked about plans that it has not seen, each of which also runs for
 * real, saturated and under an open load. Held out are cells of topology × batch × memory × concurrency. A machine that others share is a third faster
 * in one minute than in another: versions that are fitted to take turns, and beside the error of what a plan can do stands that of how much more it can
 * do than one of these versions, measured just before and after.
 */
import { availableParallelism } from 'node:os';
import { hostOf } from '@autoflow/optimizer';
import { kendallTau } from '@autoflow/twin';
import { CellBook } from './cells/cell-book.js';
import { measuringCode } from './cells/code-hash.js';
import { invoices } from './cells/invoices.js';
import { startRetailStack } from './cells/retail-stack.js';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';
import { median } from './statistics.js';
import { heldOut, nameOf, OPEN, TRAINING } from './twin/plans.js';
import { fitOf, predictedOf, type Figures, type TwinFit } from './twin/predicted.js';
import { measurePlan, referenceOf, trainOn, type RealPlan, type TwinConditions } from './twin/real.js';

const trainingOf = (few: number, many: number): TwinConditions['training'] => [
  { open: 2, executions: few },
  { open: OPEN, executions: many },
];
const FULL: TwinConditions = {
  saturatedSeconds: 10,
  openSeconds: 30,
  fewestRecords: 300,
  warmUpSeconds: 5,
  training: trainingOf(15, 50),
  rounds: 4,
  plansInRound: 8,
};
const QUICK: TwinConditions = {
  saturatedSeconds: 6,
  openSeconds: 12,
  fewestRecords: 60,
  warmUpSeconds: 3,
  training: trainingOf(10, 40),
  rounds: 2,
  plansInRound: 8,
};
const PLANS = { full: 24, quick: 8 };
/** Of the training. */
const REFERENCE = TRAINING[0]!;

type Cell = { readonly fitted: TwinFit } | RealPlan;
interface Compared extends RealPlan {
  readonly plan: string;
  readonly predicted: Figures;
  /** Of the reference, as it was measured and as the twin predicts it: the machine beside what it was while the twin was fitted. */
  readonly speed: number;
}

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const conditions = quick ? QUICK : FULL;
  const plans = heldOut(quick ? PLANS.quick : PLANS.full);
  const stack = await startRetailStack({ onFile: false });
  const { platform } = stack;
  try {
    await platform.startWorker();
    const load = await invoices(platform.spec);
    progress(`load: ${load.about}`);
    const reference = await referenceOf(platform, REFERENCE);
    const code = await measuringCode('twin');
    const given = { conditions, plans, training: TRAINING, load: load.about, release: platform.release.hash, code };
    const book = await CellBook.open<Cell>(`twin${quick ? '.quick' : ''}`, given, lineOf);
    if (book.size > 0) progress(`${book.size} cells of an earlier run are taken over from ${book.path}`);

    const train = async (): Promise<Cell> => {
      const rows = await trainOn(platform, TRAINING, conditions, load.next);
      return { fitted: fitOf(platform.spec, rows, hostOf(rows, availableParallelism())) };
    };
    const compared: Compared[] = [];
    const fits: TwinFit[] = [];
    for (const [i, plan] of plans.entries()) {
      if (i % conditions.plansInRound === 0)
        fits.push(((await book.take(`fitted #${fits.length}`, train, progress)) as { fitted: TwinFit }).fitted);
      const twin = predictedOf(platform.spec, fits.at(-1)!, plan);
      const { capacity: expected } = predictedOf(platform.spec, fits.at(-1)!, REFERENCE);
      const measure = (): Promise<Cell> => measurePlan(platform, plan, { reference, capacity: twin.capacity }, conditions, load.next);
      const real = (await book.take(nameOf(plan), measure, progress)) as RealPlan;
      const one = { plan: nameOf(plan), ...real, predicted: twin.at(real.ratePerSecond), speed: real.reference / expected };
      progress(`  error: ${METRICS.map((metric) => `${metric} ${percent(errorOf(one, metric))}`).join(', ')}`);
      compared.push(one);
    }
    await book.close();
    return reportOf(compared, { conditions, load: load.about, training: TRAINING.map(nameOf), fits }, quick);
  } finally {
    await stack.stop();
  }
}

const METRICS = ['costPer1000', 'throughput', 'gain', 'p95Ms'] as const;
type Metric = (typeof METRICS)[number];
const BARS: { readonly [metric in Metric]: { readonly name: string; readonly bar: number } } = {
  costPer1000: { name: 'cost', bar: 0.05 },
  throughput: { name: 'throughput', bar: 0.1 },
  gain: { name: 'throughput against a version beside it', bar: 0.1 },
  p95Ms: { name: 'p95', bar: 0.2 },
};
const TAU = 0.8;

function reportOf(compared: readonly Compared[], about: object, quick: boolean): BenchReport {
  const error = (metric: Metric): number => median(compared.map((one) => Math.abs(errorOf(one, metric))));
  const tau = (metric: Metric): number =>
    kendallTau(
      compared.map((one) => measuredOf(one, metric)),
      compared.map((one) => predictedFor(one, metric)),
    );
  return {
    bars: METRICS.flatMap((metric) => [
      { name: `${BARS[metric].name}, median error over ${compared.length} plans`, figure: error(metric), unit: '', bar: BARS[metric].bar, must: '<=' as const },
      { name: `${BARS[metric].name}, Kendall τ of twin and real stack`, figure: tau(metric), unit: '', bar: TAU, must: '>=' as const },
    ]), // prettier-ignore
    figures: {
      ...about,
      speeds: compared.map(({ speed }) => speed),
      compared: compared.map((one) => ({ ...one, error: Object.fromEntries(METRICS.map((m) => [m, errorOf(one, m)])) })),
    },
    notMeasured: [
      'the first ten seconds of a version, in which its instances compile what they run: less throughput by some 15 %',
      'other load than Poisson; the generator, the servers and the worker share these cores',
      'hard limits of CPU and memory, where the machine does not let them be set: then memory changes little',
      ...(quick ? [`as many plans as the bars ask for: ${compared.length} of ${PLANS.full}, and for a shorter time`] : []),
    ],
  };
}

/** `gain`: what the plan can do on the machine as it was just then, by the reference. */
const measuredOf = ({ measured }: Compared, metric: Metric): number => measured[metric === 'gain' ? 'throughput' : metric];
const predictedFor = ({ predicted, speed }: Compared, metric: Metric): number =>
  metric === 'gain' ? speed * predicted.throughput : predicted[metric];
const errorOf = (one: Compared, metric: Metric): number => predictedFor(one, metric) / measuredOf(one, metric) - 1;
const percent = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)} %`;

function lineOf(cell: Cell): string {
  if ('fitted' in cell) return `from ${cell.fitted.rows} invocations`;
  const { costPer1000, throughput, p95Ms } = cell.measured;
  return `$${costPer1000.toPrecision(3)} per 1,000, p95 ${p95Ms.toFixed(0)} ms at ${cell.ratePerSecond}/s; saturated at ${throughput.toFixed(1)}/s`;
}
