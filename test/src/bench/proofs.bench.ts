/** What tests prove of the topology generator, counted: mutants of rewrites that are caught, and the simulator against queueing theory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MUTANTS = 'packages/topology/src/rewrites/mutants.test.ts';
const THEORY = 'packages/twin/src/theory.test.ts';

/** Of vitest's JSON. */
interface TestsReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

export async function run({ progress }: BenchOptions): Promise<BenchReport> {
  const { testResults } = await tested([MUTANTS, THEORY], progress);
  const of = (path: string) => testResults.filter(({ name }) => name.endsWith(path)).flatMap(({ assertionResults }) => assertionResults);
  const mutants = of(MUTANTS).filter(({ fullName }) => fullName.includes(' caught by '));
  const theory = of(THEORY);
  const [caught, met] = [mutants.filter(passed), theory.filter(passed)];
  return {
    bars: [
      { name: 'rewrites without a side condition that are caught', figure: caught.length, unit: 'mutants', bar: 20, must: '>=' },
      { name: 'those that are not', figure: mutants.length - caught.length, unit: 'mutants', bar: 0, must: '<=' },
      { name: 'stations of queueing theory that the simulator meets within 2 %', figure: met.length, unit: 'stations', bar: 7, must: '>=' },
      { name: 'those that it does not', figure: theory.length - met.length, unit: 'stations', bar: 0, must: '<=' },
    ],
    figures: { mutants: mutants.map(({ fullName }) => fullName), theory: theory.map(({ fullName }) => fullName) },
    notMeasured: ['mutants that only the checker catches, by execution: their tests say why no run in one process shows them'],
  };
}

const passed = ({ status }: { readonly status: string }): boolean => status === 'passed';

async function tested(files: readonly string[], progress: BenchOptions['progress']): Promise<TestsReport> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-proofs-'));
  try {
    const vitest = join(dirname(createRequire(join(ROOT, 'package.json')).resolve('vitest/package.json')), 'vitest.mjs');
    const report = join(folder, 'tests.json');
    const args = [vitest, 'run', '--config', 'infra/test/vitest.config.ts', ...files, '--reporter=json', `--outputFile=${report}`];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => progress(text.trimEnd()));
    await once(child, 'close');
    return JSON.parse(await readFile(report, 'utf8')) as TestsReport;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
