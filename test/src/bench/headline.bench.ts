/**
 * The published claims on the real stack: the example as written, the same in the best fixed batch, the best static plan, and AutoFlow from a cold
 * start, under rising constant rates, at one and the same load, and under loads that vary. Sides take turns. A run that was interrupted goes on
 * where it was; code that has changed is measured anew.
 */
import { createRequire } from 'node:module';
import type { Objective } from '@autoflow/optimizer';
import pg from 'pg';
import { CellBook } from './cells/cell-book.js';
import { measuringCode } from './cells/code-hash.js';
import { invoices } from './cells/invoices.js';
import { startRetailStack } from './cells/retail-stack.js';
import { lineOfCell, type HeadlineCell } from './headline/cell.js';
import { coldStart, type ColdStart } from './headline/cold-start.js';
import { FULL, QUICK, type HeadlineConditions } from './headline/conditions.js';
import type { Measured } from './headline/experiment.js';
import type { ForVarying } from './headline/figures.js';
import { Lab } from './headline/lab.js';
import { measured } from './headline/measured.js';
import { Labs, partsOf } from './headline/parts.js';
import { analysed } from './headline/report/analysis.js';
import { barsOf } from './headline/report/bars.js';
import { varyingNames } from './headline/varying.js';
import type { BenchOptions } from './main.js';
import { machine, type BenchReport } from './report.js';

export { render } from './headline/report/render.js';
export const isRepeated = true;

/** A quick run is to end within 45 minutes: what is begun last has this much less. It goes on where it was when it is called again. */
const QUICK_MS = 42 * 60_000;

export const run = (options: BenchOptions): Promise<BenchReport> =>
  options.quick ? runUnder(QUICK, { budgetMs: QUICK_MS, ...options }) : runUnder(FULL, options);

export async function runUnder(
  { repetitions: usual, ...fixed }: HeadlineConditions,
  { quick, progress, only, cells, repetitions = usual, budgetMs = Number.POSITIVE_INFINITY }: BenchOptions,
): Promise<BenchReport> {
  const conditions = { ...fixed, repetitions };
  const deadline = performance.now() + budgetMs;
  const asked = partsOf(only);
  const code = await measuringCode('headline');
  const { cores, cpu, node } = machine();
  // What was measured elsewhere, or with other data, is not to stand beside what is measured here.
  const same = {
    conditions: fixed,
    code,
    machine: { cores, cpu, node },
    data: process.env['AUTOFLOW_DATA'] === undefined ? 'made up' : 'real',
  };
  const book = await CellBook.open<Measured>(`headline${quick ? '.quick' : ''}`, same, lineOf, cells);
  if (book.size > 0) progress(`${book.size} cells of an earlier run are taken over from ${book.path}`);
  const lab = new Lab<Measured>(book, progress, () => performance.now() < deadline);
  const labs = new Labs(asked, lab);
  const coldStarts = await fromCold(lab, conditions, progress);
  const forVarying = await fromColdForVarying(labs, conditions, coldStarts, progress);

  const stack = await startRetailStack({ onFile: true });
  const { platform } = stack;
  const sql = new pg.Pool({ connectionString: platform.stack.databaseUrl, max: 2 });
  // The database ends before it where the benchmark is interrupted.
  sql.on('error', () => {});
  try {
    const controller = { program: createRequire(import.meta.url).resolve('@autoflow/learning/controller') };
    await platform.startWorker({ controller, probeShare: 0 }, ['workflows', 'functions', 'feeder', 'control']);
    const load = await invoices(platform.spec);
    progress(`load: ${load.about}`);
    const { results, invocations } = await measured(
      { platform, sql, conditions, labs, load, progress },
      coldStarts,
      forVarying,
      objectiveOf(conditions, coldStarts),
    );
    const figures = analysed({ ...results, code, release: platform.release.hash, missing: labs.missing }, invocations);
    if (figures.missing.length === 0) await book.close();
    return { bars: barsOf(figures), figures, notMeasured: notMeasured(conditions, quick) };
  } finally {
    await sql.end();
    await stack.stop();
  }
}

/** That of the first cold start: the search of the best static plan is asked for the same. */
const objectiveOf = ({ serviceLevelMs }: HeadlineConditions, [first]: readonly ColdStart[]): Objective => ({
  minimise: 'cost',
  ...(first?.objective ?? { p99Ms: serviceLevelMs }),
});

async function fromCold(lab: Lab<Measured>, conditions: HeadlineConditions, progress: (line: string) => void): Promise<ColdStart[]> {
  const found: ColdStart[] = [];
  for (let i = 0; i < conditions.coldStarts; i++) {
    const asked = { times: conditions.coldStart.times, isRolledOut: true };
    const one = await lab.take(`cold start #${i}`, () => coldStart(conditions, asked, progress));
    if (one !== undefined) found.push(one);
  }
  return found;
}

/** Baseline 3 is tuned on the varying load itself: AutoFlow sees the window before it, is told its mean, and asked the same. */
async function fromColdForVarying(
  labs: Labs<Measured>,
  conditions: HeadlineConditions,
  [first]: readonly ColdStart[],
  progress: (line: string) => void,
): Promise<ForVarying[]> {
  if (first === undefined) return [];
  const times = conditions.traceTimes / conditions.coldStart.varyingShare;
  const found: ForVarying[] = [];
  for (const before of varyingNames(process.env['AUTOFLOW_DATA'])) {
    const asked = { times, objective: first.objective, isRolledOut: false, before };
    const one = await labs.of('varying').take(`cold start before ${before}`, () => coldStart(conditions, asked, progress));
    if (one !== undefined) found.push({ load: before, coldStart: one });
  }
  return found;
}

function lineOf(cell: Measured): string {
  if ('promoted' in cell) return `${cell.promoted ? 'promoted' : 'not promoted'}: ${cell.outcome}; ${planLine(cell.plan)}`;
  if ('bursts' in cell) return `${cell.perSecond.toFixed(1)} records/s out of a backlog, outcomes ${cell.digest.slice(0, 12)}`;
  if ('models' in cell) return `fitted to ${cell.rows} invocations`;
  if ('evaluations' in cell) {
    const { predicted } = cell;
    return `${planLine(cell)}; predicted $${predicted.costPer1000.all.toPrecision(3)} per 1,000, p95 ${predicted.latencyMs.p95.toFixed(0)} ms`;
  }
  return lineOfCell(cell satisfies HeadlineCell);
}

const planLine = ({ topology: { stages, batch, lingerMs } }: Pick<ColdStart['plan'], 'topology'>): string =>
  `${stages.length} stages, batches of ${batch.records}, ${lingerMs} ms`;

function notMeasured({ coldStart: { rollout }, coldStarts, repetitions, causal }: HeadlineConditions, quick: boolean): string[] {
  return [
    'the generator, Temporal, Postgres and the worker share these cores; several hosts and a network between the parts are not there',
    'hard limits of memory and CPU, where the machine does not let them be set (see enforcement in the measurements)',
    'probes: while sides are compared no batch is of another size than its version says, for any of them',
    'ingest: records are put into the inbox directly',
    ...(process.env['AUTOFLOW_DATA'] === undefined ? ['the two traces of a public cloud: AUTOFLOW_DATA names no folder with them'] : []),
    'the agent: it sets memory and instances once it has beaten the rule over forty intervals; until then, in most of a cell, the rule does (see the changes of each cell)',
    'a learner that makes room for others: in a cold start it learns as on a host of its own (see `learner` for what it costs beside live work)',
    'money: costs are measured times and sizes at dated list prices',
    'the best static plan of the rising rates and of the common one is that of the day of the invoices, tuned on it in hindsight',
    ...(coldStarts < repetitions
      ? [`a cold start for every repetition: ${coldStarts} for ${repetitions}; the version that it came to is measured in each`]
      : []),
    ...(rollout === undefined
      ? []
      : [
          `the usual rollout: here ${rollout.steps.join(', ')} %, evaluated every ${rollout.periodMs / 1000} s, with margins of ${100 * rollout.margins.dead} points for dead letters and errors and ${100 * rollout.margins.p95} % for p95, none for p99, and asked for over the API`,
        ]),
    'a rollout of the versions for varying loads: each is certified and registered, held to the objective and not to the p95 of the pipeline as written, and compared with the other sides at once',
    ...(causal ? [] : ['the static plan that is tuned on the window before a varying load: only the one in hindsight']),
    ...(quick ? ['as many and as long cells as the bars ask for'] : []),
  ];
}
