import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryChoices, arbitraryExecutable, checkSequence } from '../testing/index.js';

it(
  'random legal sequences give every record the outcome and the rows that it has as written, at several batch sizes',
  { timeout: 120_000 },
  async () => {
    const seen = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
    let [dropping, remembering] = [0, 0];
    await fc.assert(
      fc.asyncProperty(arbitraryExecutable(), arbitraryChoices, async (executable, choices) => {
        const report = await checkSequence(executable, choices, { batchSizes: [1, 3, 'all'] });
        expect(report).toMatchObject({ problems: [], differences: [] });
        for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += report.states[state];
        if (report.dropsWritten) dropping++;
        if (report.servesSeveral) remembering++;
      }),
      { numRuns: 150 },
    );
    // The property says something only if records end in every way, written fields are dropped, and answers are remembered across records.
    expect(Math.min(seen.completed, seen.filtered, seen.dead)).toBeGreaterThan(20);
    expect(Math.min(dropping, remembering)).toBeGreaterThan(3);
  },
);
