/** Random legal sequences of rewrites on random pipelines, run in this process: no record may end otherwise than as written. */
import { arbitraryChoices, arbitraryExecutable, checkSequence } from '@autoflow/topology/testing';
import fc from 'fast-check';
import type { BenchOptions } from './main.js';
import type { BenchReport } from './report.js';

const SEED = 20_261_125;

export async function run({ quick, progress }: BenchOptions): Promise<BenchReport> {
  const sequences = quick ? 500 : 10_000;
  const found = { differences: 0, objections: 0, records: 0, steps: 0, droppingWritten: 0, servingSeveral: 0 };
  const kinds: Record<string, number> = {};
  for (let done = 0; done < sequences; done += 500) {
    for (const [executable, choices] of fc.sample(fc.tuple(arbitraryExecutable(), arbitraryChoices), { seed: SEED + done, numRuns: 500 })) {
      const report = await checkSequence(executable, choices, { batchSizes: [1, 3, 'all'] });
      const { differences, problems, states, steps } = report;
      found.differences += differences.length;
      found.objections += problems.length;
      found.records += Object.values(states).reduce((sum, count) => sum + count, 0);
      found.steps += steps.length;
      if (report.dropsWritten) found.droppingWritten++;
      if (report.servesSeveral) found.servingSeveral++;
      for (const { rewrite } of steps) kinds[rewrite] = (kinds[rewrite] ?? 0) + 1;
    }
    progress(`${done + 500} of ${sequences} sequences, ${found.differences} differences`);
  }
  return {
    bars: [
      {
        name: `records that end otherwise, over ${sequences} random sequences`,
        figure: found.differences,
        unit: 'records',
        bar: 0,
        must: '<=',
      },
      { name: 'objections of the checker to certificates of legal sequences', figure: found.objections, unit: '', bar: 0, must: '<=' },
    ],
    figures: { seed: SEED, sequences, ...found, kinds },
    notMeasured: ['illegal steps: that each is refused, by the checker and by execution, is what `proofs` counts'],
  };
}
