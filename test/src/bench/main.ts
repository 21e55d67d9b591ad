/** `npm run bench -- NAME [--quick] [--check] [--only PARTS] [--budget MINUTES] [--cells FOLDER] [--repetitions N]`: sets itself up, shows progress, writes its JSON, ends with one line per bar. */
import { parseArgs } from 'node:util';
import { barLine, holds, writeRendered, writeReport, type BenchDocument, type BenchReport } from './report.js';

export interface BenchOptions {
  readonly quick: boolean;
  readonly progress: (line: string) => void;
  /** Of benchmarks that have parts: those that are run. */
  readonly only?: string;
  /** Of those that go on where they were: nothing is begun after this time. */
  readonly budgetMs?: number;
  /** Where they keep what they have measured until all of it is; default: beside the results. */
  readonly cells?: string;
  /** Instead of as many as they have of themselves; cells that are there are taken. */
  readonly repetitions?: number;
}

interface Bench {
  /** Takes another number of repetitions. */
  readonly isRepeated?: boolean;
  run(options: BenchOptions): Promise<BenchReport>;
  /** More files beside the JSON, made from it alone: their contents by their ending. */
  render?(document: BenchDocument): { readonly [ending: string]: string };
}

const benches: { readonly [name: string]: () => Promise<Bench> } = {
  interpreter: () => import('./interpreter.bench.js'),
  batching: () => import('./batching.bench.js'),
  invocation: () => import('./invocation.bench.js'),
  metering: () => import('./metering.bench.js'),
  'twin-speed': () => import('./twin-speed.bench.js'),
  twin: () => import('./twin.bench.js'),
  search: () => import('./search.bench.js'),
  gcn: () => import('./gcn.bench.js'),
  rewrites: () => import('./rewrites.bench.js'),
  proposal: () => import('./proposal.bench.js'),
  proofs: () => import('./proofs.bench.js'),
  topology: () => import('./topology.bench.js'),
  ingest: () => import('./ingest.bench.js'),
  inbox: () => import('./inbox.bench.js'),
  flow: () => import('./flow.bench.js'),
  deploy: () => import('./deploy.bench.js'),
  headline: () => import('./headline.bench.js'),
  steady: () => import('./steady.bench.js'),
  baselines: () => import('./baselines.bench.js'),
  agent: () => import('./agent.bench.js'),
  policy: () => import('./policy.bench.js'),
  memory: () => import('./memory.bench.js'),
  learner: () => import('./learner.bench.js'),
  learners: () => import('./learners.bench.js'),
  surge: () => import('./surge.bench.js'),
  evaluation: () => import('./evaluation.bench.js'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    only: { type: 'string' },
    budget: { type: 'string' },
    cells: { type: 'string' },
    repetitions: { type: 'string' },
  },
});
const [name] = positionals;
const load = name === undefined ? undefined : benches[name];
if (name === undefined || load === undefined) {
  console.error(`There is no benchmark '${name ?? ''}'. Choose one: npm run bench -- ${Object.keys(benches).join(' | ')}`);
  process.exit(2);
}

const { only, budget, cells, repetitions } = values;
if (budget !== undefined && !(Number(budget) > 0)) {
  console.error(`--budget is a number of minutes above 0, found '${budget}'.`);
  process.exit(2);
}

if (repetitions !== undefined && !/^[1-9]\d?$/.test(repetitions)) {
  console.error(`--repetitions is a number from 1 to 99, found '${repetitions}'.`);
  process.exit(2);
}

const started = performance.now();
const progress = (line: string): void => console.error(`[${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`);
const bench = await load();
if (repetitions !== undefined && !bench.isRepeated) {
  console.error(`'${name}' has as many repetitions as it has: leave --repetitions out.`);
  process.exit(2);
}
const report = await bench.run({
  quick: values.quick,
  progress,
  ...(only !== undefined && { only }),
  ...(cells !== undefined && { cells }),
  ...(repetitions !== undefined && { repetitions: Number(repetitions) }),
  ...(budget !== undefined && { budgetMs: Number(budget) * 60_000 }),
});
const path = await writeReport(name, report, values.quick);
progress(`figures in ${path}`);
if (bench.render !== undefined) for (const file of await writeRendered(path, (document) => bench.render!(document))) progress(file);
if (values.quick) console.log('a quick run: fewer or shorter repetitions than the bars ask for');
for (const bar of report.bars) console.log(barLine(bar));
process.exit(values.check && !report.bars.every(holds) ? 1 : 0);
