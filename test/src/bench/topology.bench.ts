/**
 * All that is claimed of the topology generator, one benchmark after the other; each writes its own JSON as well. With `--only twin,gcn` these are
 * measured, and of the others what lies in their JSON is taken: the report says of each when and where it was measured.
 */
import { chosenParts } from './chosen-parts.js';
import * as gcn from './gcn.bench.js';
import type { BenchOptions } from './main.js';
import * as proofs from './proofs.bench.js';
import * as proposal from './proposal.bench.js';
import { readReport, writeReport, type BenchDocument, type BenchReport } from './report.js';
import * as rewrites from './rewrites.bench.js';
import * as search from './search.bench.js';
import * as twin from './twin.bench.js';
import * as twinSpeed from './twin-speed.bench.js';

const PARTS = { proofs, rewrites, 'twin-speed': twinSpeed, search, gcn, proposal, twin };
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

export async function run({ quick, progress, only }: BenchOptions): Promise<BenchReport> {
  const asked = chosenParts('topology', NAMES, only);
  for (const name of NAMES.filter((one) => asked.has(one))) {
    progress(name);
    const report = await PARTS[name].run({ quick, progress: (line) => progress(`${name}: ${line}`) });
    await writeReport(name, report, quick);
  }
  const documents = await Promise.all(NAMES.map(async (name) => [name, await readReport(name, quick)] as const));
  const known = documents.filter((one): one is readonly [Part, BenchDocument] => one[1] !== undefined);
  const missing = documents.filter(([, document]) => document === undefined).map(([name]) => name);
  return {
    bars: known.flatMap(([name, { bars }]) => bars.map(({ holds: _, ...bar }) => ({ ...bar, name: `${name}: ${bar.name}` }))),
    figures: { parts: Object.fromEntries(known.map(([name, { at, machine }]) => [name, { at, machine }])) },
    notMeasured: [
      ...missing.map((name) => `the part '${name}'`),
      ...known.flatMap(([name, { notMeasured }]) => notMeasured.map((each) => `${name}: ${each}`)),
    ],
  };
}
