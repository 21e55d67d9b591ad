import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryExecutable, checkSequence } from '../testing/index.js';

const choices = fc.array(fc.tuple(fc.nat(9_999), fc.nat(9_999)), { minLength: 1, maxLength: 15 });

it(
  'random legal sequences give every record the outcome and the rows that it has as written, at several batch sizes',
  { timeout: 120_000 },
  async () => {
    const seen = { completed: 0, filtered: 0, dead: 0, cancelled: 0 };
    await fc.assert(
      fc.asyncProperty(arbitraryExecutable(), choices, async (executable, picks) => {
        const { problems, differences, states } = await checkSequence(executable, picks, { batchSizes: [1, 3, 'all'] });
        expect({ problems, differences }).toEqual({ problems: [], differences: [] });
        for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += states[state];
      }),
      { numRuns: 100 },
    );
    // The property says something only if records end in every way.
    expect(Math.min(seen.completed, seen.filtered, seen.dead)).toBeGreaterThan(20);
  },
);
