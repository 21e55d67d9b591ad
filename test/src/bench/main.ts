/** `npm run bench -- NAME [--quick] [--check]`: sets itself up, shows progress, writes its JSON, ends with one line per bar. */
import { parseArgs } from 'node:util';
import { barLine, holds, writeReport, type BenchReport } from './report.js';

export interface BenchOptions {
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}

const benches: { readonly [name: string]: () => Promise<{ run(options: BenchOptions): Promise<BenchReport> }> } = {
  interpreter: () => import('./interpreter.bench.js'),
  batching: () => import('./batching.bench.js'),
  invocation: () => import('./invocation.bench.js'),
  metering: () => import('./metering.bench.js'),
  'twin-speed': () => import('./twin-speed.bench.js'),
  rewrites: () => import('./rewrites.bench.js'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, check: { type: 'boolean', default: false } },
});
const [name] = positionals;
const load = name === undefined ? undefined : benches[name];
if (name === undefined || load === undefined) {
  console.error(`There is no benchmark '${name ?? ''}'. Choose one: npm run bench -- ${Object.keys(benches).join(' | ')}`);
  process.exit(2);
}

const started = performance.now();
const progress = (line: string): void => console.error(`[${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`);
const report = await (await load()).run({ quick: values.quick, progress });
const path = await writeReport(name, report, values.quick);
progress(`figures in ${path}`);
if (values.quick) console.log('a quick run: fewer repetitions than the bars ask for');
for (const bar of report.bars) console.log(barLine(bar));
process.exit(values.check && !report.bars.every(holds) ? 1 : 0);
