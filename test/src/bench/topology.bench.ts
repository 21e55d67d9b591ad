/** All that is claimed of the topology generator, one benchmark after the other; each writes its own JSON as well. */
import * as gcn from './gcn.bench.js';
import type { BenchOptions } from './main.js';
import * as proposal from './proposal.bench.js';
import { writeReport, type BenchReport } from './report.js';
import * as rewrites from './rewrites.bench.js';
import * as search from './search.bench.js';
import * as twin from './twin.bench.js';
import * as twinSpeed from './twin-speed.bench.js';

const PARTS = { rewrites, 'twin-speed': twinSpeed, search, gcn, proposal, twin };

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const reports: (readonly [string, BenchReport])[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    progress(name);
    const report = await part.run({ quick, progress: (line) => progress(`${name}: ${line}`) });
    await writeReport(name, report, quick);
    reports.push([name, report]);
  }
  return {
    bars: reports.flatMap(([name, { bars }]) => bars.map((bar) => ({ ...bar, name: `${name}: ${bar.name}` }))),
    figures: {},
    notMeasured: reports.flatMap(([name, { notMeasured }]) => notMeasured.map((each) => `${name}: ${each}`)),
  };
}
